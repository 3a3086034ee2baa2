#include "daemon/commands/erase_command.hpp"

#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <spdlog/logger.h>

#include "daemon/process/usage_error.hpp"
#include "tests/support/times.hpp"
#include "tests/unit/storage/fixture.hpp"
#include "tests/unit/sync/fake_clock.hpp"

using namespace mirror;
using namespace mirror::daemon;
using mirror::tests::utc;

namespace {

CommandLine before(const std::string& text) {
    CommandLine line;
    line.before.push_back(parse_point_in_time(text).value());
    return line;
}

std::vector<std::string> notes_of(const std::string& text) {
    return erasure_notes(before(text), utc("2026-12-01 00:00:00"), Zone("Europe/Amsterdam"));
}

}  // namespace

TEST_CASE("erase --before: what is said of a time that clocks did not show once") {
    using Notes = std::vector<std::string>;
    CHECK(notes_of("2026-03-29 02:30:00") ==
          Notes{"--before 2026-03-29 02:30:00: this time does not exist, because clocks went "
                "forward then, so what is older than 2026-03-29 03:00:00 is erased"});
    // The hour that occurs twice stays as a whole.
    CHECK(notes_of("2026-10-25 02:30:00") ==
          Notes{"--before 2026-10-25 02:30:00: this time occurs twice, because clocks went back "
                "then, so what is older than 2026-10-25 02:00:00 is erased"});
    CHECK(notes_of("2026-10-25 02:00:00").empty());
    CHECK(notes_of("2026-10-25 03:00:00").empty());
    CHECK(notes_of("2026-06-01").empty());
}

TEST_CASE("erase --before: not after what the file has, since this machine's clock may be wrong") {
    const storage::testing::TemporaryDirectory directory;
    Config config;
    config.mirror.database = directory.path() / "mirror.db";
    storage::testing::make_mirror(config.mirror.database);  // until 13:01:00
    const std::string rows = "SELECT count(*) FROM impressions";
    std::ostringstream out;
    std::ostringstream err;
    tests::FakeClock clock(storage::testing::noon(40 * 24 * 3600));
    const Environment environment(out, err, clock);
    spdlog::logger log("test");
    std::string said;
    try {
        erase_records(before("2026-03-01 13:01:01"), config, environment, log);
    } catch (const UsageError& error) {
        said = error.what();
    }
    CHECK(said.find("--before 2026-03-01 13:01:01 is later than what the file has, which ends at "
                    "2026-03-01 13:01:00") == 0);
    CHECK(storage::testing::ask(config.mirror.database, rows) == "50");
    CHECK(erase_records(before("2026-03-01 13:01:00"), config, environment, log) == ExitCode::done);
    CHECK(storage::testing::ask(config.mirror.database, rows) == "0");
    CHECK(out.str().find("impressions: 50 rows erased") == 0);
}
