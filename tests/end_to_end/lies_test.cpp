// Replies that look right and are not, each once at every position of a sync: what comes out is
// exact, or it is not claimed.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "tests/end_to_end/scene.hpp"
#include "tests/simulator/fault.hpp"
#include "tests/simulator/generate.hpp"

using namespace mirror;
using namespace mirror::test;

namespace {

// The covered periods, as the file claims them, account-local.
std::vector<std::pair<std::string, std::string>> covered(const Scene& scene) {
    const SQLite::Database file(scene.database().string(), SQLite::OPEN_READONLY);
    SQLite::Statement select(file,
                             "SELECT local_begin, local_end FROM covered_periods WHERE age = 0");
    std::vector<std::pair<std::string, std::string>> periods;
    while (select.executeStep()) {
        periods.emplace_back(select.getColumn(0).getString(), select.getColumn(1).getString());
    }
    return periods;
}

// Rows of covered periods that the file does not have.
std::size_t claimed_and_missing(const Scene& scene) {
    const auto periods = covered(scene);
    const auto held = scene.rows();
    std::size_t missing = 0;
    for (const StreamRow& row : scene.truth()) {
        const bool claimed = std::any_of(periods.begin(), periods.end(), [&](const auto& period) {
            return period.first <= row.timestamp && row.timestamp < period.second;
        });
        const bool there =
            std::binary_search(held.begin(), held.end(), row,
                               [](const StreamRow& a, const StreamRow& b) { return a.id < b.id; });
        missing += claimed && !there ? 1 : 0;
    }
    return missing;
}

}  // namespace

TEST_CASE("lies: one at every position of a first sync is found out, or nothing is claimed" *
          every_stream) {
    const std::vector<simulator::Fault> lies{
        simulator::faults::short_page(3, true), simulator::faults::short_page(3, false),
        simulator::faults::empty_reply(),
        simulator::faults::other_period(std::chrono::hours(24 * 40))};
    for (std::size_t lie = 0; lie < lies.size(); ++lie) {
        for (std::uint64_t position = 1;; ++position) {
            Scene scene;
            scene.server.clock().stand_at(utc("2026-11-23 16:00:00"));
            simulator::Generation generation;
            generation.shape = simulator::Shape::steady;
            generation.rows = 3000;
            generation.period = {utc("2026-10-01 00:00:00"), utc("2026-11-23 15:00:00")};
            simulator::generate(scene.account, generation);
            scene.configure("mirror", "start = \"2026-09-01\"\n");
            scene.server.set_rule(simulator::rules::nth({position}, lies[lie]));
            const Run run = scene.run({"sync"});
            CAPTURE(lie);
            CAPTURE(position);
            CAPTURE(run.err);
            const bool met = scene.server.counters().requests >= position + 1;
            CHECK(claimed_and_missing(scene) == 0);
            if (run.code == 0) {
                CHECK(scene.difference() == "");
            } else {
                CHECK(run.code == 5);
            }
            if (!met || position > 40) {
                break;
            }
        }
    }
}
