// The file of --metrics-file: whole or as it was, readable by others, and no reason to fail a run.
#include "daemon/metrics/metrics_file.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <sys/stat.h>

#include <doctest/doctest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include "daemon/process/usage_error.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/sync/fake_clock.hpp"

using namespace mirror;
using namespace mirror::daemon;

namespace {

struct Fixture {
    test::TemporaryDirectory directory;
    std::filesystem::path path = directory.path() / "mirror.prom";
    tests::FakeClock clock{Instant(Seconds(1'700'000'000))};
    std::ostringstream said;
    spdlog::logger log{"test", std::make_shared<spdlog::sinks::ostream_sink_st>(said)};

    std::string text() const {
        std::ifstream in(path);
        return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    }
    bool has_line(const std::string& line) const {
        return ("\n" + text()).find("\n" + line + "\n") != std::string::npos;
    }
    std::size_t files() const {
        return static_cast<std::size_t>(
            std::distance(std::filesystem::directory_iterator(directory.path()),
                          std::filesystem::directory_iterator{}));
    }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "metrics file: replaced as a whole, and others may read it") {
    const mode_t before = ::umask(0077);
    {
        MetricsFile file(path);
        CHECK(files() == 0);  // the attempt leaves nothing
        file.metrics().request_again();
        file.write(ExitCode::token, clock, log);
    }
    CHECK(has_line("copernica_mirror_last_run_exit_code 3"));
    CHECK(has_line("copernica_mirror_last_run_timestamp_seconds 1700000000"));
    CHECK(has_line("copernica_mirror_retries_total 1"));
    // Nothing is known of a database: an empty one would be something else.
    CHECK(text().find("copernica_mirror_rows{") == std::string::npos);

    clock.advance(std::chrono::seconds(60));
    MetricsFile(path).write(ExitCode::interrupted, clock, log);
    ::umask(before);
    CHECK(has_line("copernica_mirror_last_run_exit_code 130"));
    CHECK(has_line("copernica_mirror_last_run_timestamp_seconds 1700000060"));
    CHECK(has_line("copernica_mirror_retries_total 0"));
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0644);
    CHECK(files() == 1);
    CHECK(said.str() == "");
}

TEST_CASE_FIXTURE(Fixture, "metrics file: where none can be made is a mistake of usage") {
    for (const auto& wrong :
         {directory.path() / "absent" / "mirror.prom", directory.path(), directory.path() / "",
          directory.file("plain", "") / "mirror.prom", std::filesystem::path()}) {
        CAPTURE(wrong.string());
        CHECK_THROWS_WITH_AS(MetricsFile{wrong}, doctest::Contains("--metrics-file"), UsageError);
    }
    CHECK(files() == 1);  // the plain one
}

TEST_CASE_FIXTURE(Fixture, "metrics file: what goes wrong at the end is logged") {
    SUBCASE("the place is taken by a directory") {
        MetricsFile file(path);
        std::filesystem::create_directory(path);
        file.write(ExitCode::done, clock, log);
        CHECK(said.str().find("cannot rename") != std::string::npos);
        CHECK(files() == 1);  // no temporary file
    }
    SUBCASE("the directory is gone") {
        MetricsFile file(path);
        std::filesystem::remove(directory.path());
        file.write(ExitCode::done, clock, log);
        CHECK(said.str().find("cannot make a file") != std::string::npos);
    }
    CHECK(said.str().find(path.string()) != std::string::npos);
    CHECK(said.str().find("[error]") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "metrics file: a database that cannot be read costs its metrics only") {
    const auto database = directory.file("impressions.db", std::string(5000, 'x'));
    for (const ExitCode code : {ExitCode::done, ExitCode::database}) {
        said.str("");
        MetricsFile file(path);
        file.set_database(database, {&streams().front()});
        file.write(code, clock, log);
        CHECK(has_line("copernica_mirror_last_run_timestamp_seconds 1700000000"));
        CHECK(text().find("copernica_mirror_rows{") == std::string::npos);
        // With 4 the run has said it.
        CHECK((said.str().find("impressions.db") != std::string::npos) == (code == ExitCode::done));
    }
}
