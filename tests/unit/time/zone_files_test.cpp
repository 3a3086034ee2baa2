// Zone files in both forms of zic: slim (a rule for all later years) and fat (years listed to
// 2037).

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "core/time/zone.hpp"
#include "core/time/zone_self_check.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/times.hpp"

using namespace mirror;
using mirror::tests::utc;

namespace {

const std::vector<std::string> zones{"Europe/Amsterdam", "Europe/London",       "Europe/Dublin",
                                     "America/New_York", "America/Santiago",    "America/Asuncion",
                                     "Australia/Sydney", "Australia/Lord_Howe", "Pacific/Auckland",
                                     "Africa/Casablanca"};

// The directory that names of zones are relative to, as long as it lives.
class ZoneDirectory {
  public:
    explicit ZoneDirectory(const std::filesystem::path& directory) {
        if (const char* const before = std::getenv("TZDIR")) {
            before_ = before;
        }
        setenv("TZDIR", directory.c_str(), 1);
    }
    ~ZoneDirectory() {
        if (before_) {
            setenv("TZDIR", before_->c_str(), 1);
        } else {
            unsetenv("TZDIR");
        }
    }
    ZoneDirectory(const ZoneDirectory&) = delete;
    ZoneDirectory& operator=(const ZoneDirectory&) = delete;

  private:
    std::optional<std::string> before_;
};

// Compiles the system's zone sources into DIRECTORY/FORM, by the C library's own compiler.
void compile_zones(const std::filesystem::path& directory, const std::string& form) {
    const std::string command = "PATH=\"$PATH:/usr/sbin\" zic -b " + form + " -d '" +
                                (directory / form).string() + "' /usr/share/zoneinfo/tzdata.zi";
    REQUIRE(std::system(command.c_str()) == 0);
}

constexpr Instant first = std::chrono::sys_days{std::chrono::year(1996) / 1 / 1};
constexpr Instant last = std::chrono::sys_days{std::chrono::year(2041) / 1 / 1};

std::vector<Instant> changes(const Zone& zone) {
    std::vector<Instant> all;
    for (auto at = zone.next_change(first); at && *at < last; at = zone.next_change(*at)) {
        all.push_back(*at);
    }
    return all;
}

}  // namespace

TEST_CASE("zone files: slim and fat ones mean the same, and what the C library reads") {
    const test::TemporaryDirectory directory;
    compile_zones(directory.path(), "slim");
    compile_zones(directory.path(), "fat");
    const ZoneDirectory here(directory.path());
    for (const std::string& name : zones) {
        CAPTURE(name);
        const Zone slim("slim/" + name);
        const Zone fat("fat/" + name);
        REQUIRE(std::filesystem::file_size(directory.path() / slim.name()) <
                std::filesystem::file_size(directory.path() / fat.name()));
        CHECK(zone_differs_from_libc(slim).value_or("") == "");
        CHECK(zone_differs_from_libc(fat).value_or("") == "");
        const std::vector<Instant> wanted = changes(fat);
        CHECK(wanted.size() >= 20);
        CHECK(changes(slim) == wanted);
        for (const Instant change : wanted) {
            const Window around{change - Seconds(5400), change + Seconds(5400)};
            REQUIRE(slim.span(around) == fat.span(around));
            for (const Seconds off : {Seconds(-5400), Seconds(-1), Seconds(0), Seconds(5400)}) {
                const LocalTime local = fat.to_local(change + off);
                REQUIRE(slim.to_local(change + off) == local);
                REQUIRE(slim.earliest(local) == fat.earliest(local));
                REQUIRE(slim.latest(local) == fat.latest(local));
            }
        }
    }
    // As the law of each country has it, after the last year that a slim file lists.
    const auto shows = [](const char* name, const char* at) {
        return format_local(Zone(name).to_local(utc(at)));
    };
    CHECK(shows("slim/Europe/Amsterdam", "2026-07-01 12:00:00") == "2026-07-01 14:00:00");
    CHECK(shows("slim/Europe/Amsterdam", "2026-11-23 12:00:00") == "2026-11-23 13:00:00");
    CHECK(shows("slim/America/New_York", "2026-07-01 12:00:00") == "2026-07-01 08:00:00");
    CHECK(shows("slim/America/New_York", "2026-11-23 12:00:00") == "2026-11-23 07:00:00");
    CHECK(shows("slim/Australia/Sydney", "2026-07-01 12:00:00") == "2026-07-01 22:00:00");
    CHECK(shows("slim/Australia/Sydney", "2026-11-23 12:00:00") == "2026-11-23 23:00:00");
}

TEST_CASE("zone files: the self-check finds a library that reads other rules than libc") {
    const test::TemporaryDirectory directory;
    compile_zones(directory.path(), "slim");
    std::filesystem::copy_file(directory.path() / "slim/Europe/Amsterdam",
                               directory.path() / "Mistaken");
    const ZoneDirectory here(directory.path());
    const Zone zone("Mistaken");
    CHECK_FALSE(zone_differs_from_libc(zone));
    // The library keeps what it read; the C library reads again: a file without its last line.
    std::filesystem::remove(directory.path() / "Mistaken");
    std::ifstream whole(directory.path() / "slim/Europe/Amsterdam", std::ios::binary);
    std::string bytes(std::istreambuf_iterator<char>(whole), {});
    bytes.resize(bytes.rfind('\n', bytes.size() - 2) + 1);
    std::ofstream(directory.path() / "Mistaken", std::ios::binary) << bytes << '\n';
    const std::string differs = zone_differs_from_libc(zone).value_or("");
    CAPTURE(differs);
    CHECK(differs.find("the time zone Mistaken is read in two ways on this system: at 199") !=
          std::string::npos);
}

TEST_CASE("zone files: only names of zones are zones") {
    for (const char* name :
         {"", "/usr/share/zoneinfo/Europe/Amsterdam", "../zoneinfo/UTC", "localtime", "Europe",
          "file:Europe/Amsterdam", "Fixed/UTC+01:00:00", "Europe/Amsterdam\n", "tzdata.zi"}) {
        CAPTURE(name);
        CHECK_THROWS_AS(Zone{name}, UnknownZone);
    }
    CHECK_NOTHROW(Zone("Etc/GMT+5"));
}

TEST_CASE("zone files: the self-check leaves TZ as it was") {
    const char* const set = std::getenv("TZ");
    const std::string before = set == nullptr ? "(unset)" : set;
    CHECK_FALSE(zone_differs_from_libc(Zone("Europe/Amsterdam")));
    const char* const after = std::getenv("TZ");
    CHECK((after == nullptr ? "(unset)" : std::string(after)) == before);
}
