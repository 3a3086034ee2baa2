// Zone files in the forms that systems have, and broken ones.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include "tests/end_to_end/scene.hpp"

using namespace mirror;
using namespace mirror::test;

namespace {

// Compiles the system's zone sources into the scene's directory; the program reads them there.
std::filesystem::path compile_zones(Scene& scene, const std::string& form) {
    const std::filesystem::path zones = scene.directory() / "zoneinfo";
    const std::string command = "PATH=\"$PATH:/usr/sbin\" zic -b " + form + " -d '" +
                                zones.string() + "' /usr/share/zoneinfo/tzdata.zi";
    REQUIRE(std::system(command.c_str()) == 0);
    scene.environment["TZDIR"] = zones.string();
    return zones;
}

}  // namespace

TEST_CASE("zones: slim and fat files keep every row, in summer and in winter") {
    for (const char* form : {"slim", "fat"}) {
        for (const char* zone : {"Europe/Amsterdam", "America/New_York", "Australia/Sydney"}) {
            for (const char* now : {"2026-07-20 12:00:00", "2026-11-23 16:00:00"}) {
                CAPTURE(form);
                CAPTURE(zone);
                CAPTURE(now);
                Scene scene({}, {}, zone);
                compile_zones(scene, form);
                scene.configure("api", "time_zone = \"" + std::string(zone) + "\"\n");
                scene.server.clock().stand_at(utc(now));
                std::int64_t id = 0;
                for (Instant at = utc(now) - Seconds(86400); at < utc(now); at += Seconds(600)) {
                    scene.account.add(row(++id, at));
                }
                CHECK(scene.complaint(scene.run({"sync"})) == "");
                for (int poll = 0; poll < 3; ++poll) {
                    for (int live = 0; live < 5; ++live) {
                        scene.server.clock().advance(Seconds(60));
                        scene.account.add(row(++id, scene.server.clock().now() - Seconds(30)));
                    }
                    CHECK(scene.complaint(scene.run({"sync"})) == "");
                }
            }
        }
    }
}

TEST_CASE("zones: a broken file is exit 2, before any request") {
    Scene scene;
    populate(scene, 10);
    const auto file = compile_zones(scene, "fat") / "Europe/Amsterdam";
    const std::string bytes = bytes_of(file);
    std::filesystem::remove(file);
    std::ofstream(file, std::ios::binary) << bytes.substr(0, bytes.size() / 2);
    for (const char* command : {"sync", "check"}) {
        CAPTURE(command);
        const Run run = scene.run({command});
        CAPTURE(run.err);
        CHECK(run.code == 2);
        CHECK((run.err + run.out).find("Europe/Amsterdam") != std::string::npos);
    }
    CHECK(scene.requests() == 0);
    CHECK_FALSE(std::filesystem::exists(scene.database()));
}
