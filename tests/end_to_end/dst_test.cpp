// Polls through the nights in which clocks change, with the server's clock driven.

#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/end_to_end/scene.hpp"

using namespace mirror;
using namespace mirror::test;
using simulator::Behaviour;
using simulator::Reading;
using simulator::Repeated;

namespace {

struct Bounds {
    Reading reading;
    Repeated repeated;
};

constexpr Bounds all_bounds[] = {
    {Reading::text, Repeated::first},
    {Reading::instant, Repeated::first},
    {Reading::instant, Repeated::second},
};

Behaviour with(const Bounds& bounds) {
    Behaviour behaviour;
    behaviour.reading = bounds.reading;
    behaviour.repeated = bounds.repeated;
    return behaviour;
}

// A row every 11 seconds, visible from its second on, and some history.
void add_live_rows(Scene& scene, Instant change) {
    std::int64_t id = 0;
    for (Instant at = change - std::chrono::hours(30); at < change - std::chrono::hours(3);
         at += Seconds(301)) {
        scene.account.add(row(++id, at));
    }
    for (Instant at = change - std::chrono::hours(3); at < change + std::chrono::hours(4);
         at += Seconds(11)) {
        simulator::Row live = row(++id, at);
        live.visible_from = at;
        scene.account.add(live);
    }
}

void poll_through(const Bounds& bounds, Instant change, Seconds phase, Seconds interval) {
    CAPTURE(static_cast<int>(bounds.reading));
    CAPTURE(static_cast<int>(bounds.repeated));
    CAPTURE(phase.count());
    Scene scene(with(bounds));
    scene.configure("mirror", "start = 2026-10-23\n");
    add_live_rows(scene, change);
    for (Instant now = change - std::chrono::hours(2) + phase; now < change + std::chrono::hours(3);
         now += interval) {
        CAPTURE(((now - change).count()));
        scene.server.clock().stand_at(now);
        const Run run = scene.run({"sync"});
        CAPTURE(run.err);
        REQUIRE(run.code == 0);
    }
    scene.server.clock().stand_at(change + std::chrono::hours(5));
    CHECK(scene.complaint(scene.run({"sync"})) == "");
    CHECK(scene.query("SELECT count(*) FROM coverage WHERE age = 0") == "1");
}

}  // namespace

TEST_CASE("dst: polls through the night in which an hour comes twice" * every_stream) {
    for (const Bounds& bounds : all_bounds) {
        for (const int phase : {0, 421}) {
            poll_through(bounds, utc("2026-10-25 01:00:00"), Seconds(phase), Seconds(833));
        }
    }
}

TEST_CASE("dst: polls through the night in which an hour is missing" * every_stream) {
    for (const Bounds& bounds : all_bounds) {
        for (const int phase : {0, 421}) {
            poll_through(bounds, utc("2027-03-28 01:00:00"), Seconds(phase), Seconds(833));
        }
    }
}

TEST_CASE("dst: polls at the very seconds in which clocks change" * every_stream) {
    for (const Bounds& bounds : all_bounds) {
        for (const char* const change : {"2026-10-25 01:00:00", "2027-03-28 01:00:00"}) {
            CAPTURE(static_cast<int>(bounds.reading));
            CAPTURE(static_cast<int>(bounds.repeated));
            CAPTURE(std::string(change));
            Scene scene(with(bounds));
            scene.configure("mirror", "start = 2026-10-23\n");
            add_live_rows(scene, utc(change));
            for (const int hours : {-1, 0, 1}) {
                for (const int offset : {-1, 0, 1, 5, 6}) {
                    CAPTURE(hours);
                    CAPTURE(offset);
                    scene.server.clock().stand_at(utc(change) + std::chrono::hours(hours) +
                                                  Seconds(offset));
                    const Run run = scene.run({"sync"});
                    CAPTURE(run.err);
                    REQUIRE(run.code == 0);
                }
            }
            scene.server.clock().stand_at(utc(change) + std::chrono::hours(5));
            CHECK(scene.complaint(scene.run({"sync"})) == "");
        }
    }
}

TEST_CASE("dst: a first sync, and a last one, inside of the hour that comes twice" * every_stream) {
    for (const Bounds& bounds : all_bounds) {
        for (const int minutes : {-30, -1, 1, 30, 59}) {
            CAPTURE(static_cast<int>(bounds.reading));
            CAPTURE(static_cast<int>(bounds.repeated));
            CAPTURE(minutes);
            Scene scene(with(bounds));
            const Instant change = utc("2026-10-25 01:00:00");
            add_live_rows(scene, change);
            scene.server.clock().stand_at(change + std::chrono::minutes(minutes));
            const Run inside = scene.run({"sync"});
            CAPTURE(inside.err);
            CHECK(inside.code == 0);
            scene.server.clock().stand_at(change + std::chrono::hours(5));
            CHECK(scene.complaint(scene.run({"sync"})) == "");
        }
    }
}
