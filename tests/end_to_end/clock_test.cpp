// The server's clock, right and wrong, far from this machine's, and sometimes not told at all.

#include <chrono>
#include <csignal>
#include <string>

#include <doctest/doctest.h>

#include "tests/end_to_end/scene.hpp"

using namespace mirror;
using namespace mirror::test;
using simulator::Behaviour;
using simulator::DateHeader;

namespace {

Behaviour with_date(const DateHeader& date) {
    Behaviour behaviour;
    behaviour.date = date;
    return behaviour;
}

DateHeader skewed(Seconds skew, std::uint64_t every) {
    DateHeader date;
    date.skew = skew;
    date.every = every;
    return date;
}

DateHeader without(DateHeader::Form form, std::uint64_t every) {
    DateHeader date;
    date.form = form;
    date.every = every;
    return date;
}

Instant machine_now() {
    return std::chrono::floor<Seconds>(std::chrono::system_clock::now());
}

// Syncs again and again while rows are logged up to the present second; each must show up.
void follow(Scene& scene, int polls, Seconds pause = Seconds(600)) {
    std::int64_t id = 100'000;
    for (int poll = 0; poll < polls; ++poll) {
        CAPTURE(poll);
        const Instant now = scene.server.clock().now();
        scene.account.add(row(++id, now - Seconds(3)));
        const Run run = scene.run({"sync"});
        CAPTURE(run.err);
        REQUIRE(run.code == 0);
        // Logged after the reply, in the seconds that are not settled yet.
        scene.account.add(row(++id, now - Seconds(2)));
        scene.account.add(row(++id, now));
        scene.server.clock().advance(pause);
        scene.account.add(row(++id, scene.server.clock().now() - Seconds(1)));
    }
    scene.server.clock().advance(Seconds(10));
    CHECK(scene.complaint(scene.run({"sync"})) == "");
}

}  // namespace

TEST_CASE("clock: one Date in ten is an hour fast or slow") {
    for (const int hours : {1, -1}) {
        for (const bool machine_is_right : {false, true}) {
            CAPTURE(hours);
            CAPTURE(machine_is_right);
            Scene scene(with_date(skewed(std::chrono::hours(hours), 10)));
            populate(scene, 3000);
            if (machine_is_right) {
                scene.server.clock().run_from(machine_now());
            }
            follow(scene, 12, machine_is_right ? Seconds(0) : Seconds(600));
        }
    }
}

TEST_CASE("clock: one Date in three is an hour fast") {
    Scene scene(with_date(skewed(std::chrono::hours(1), 3)));
    populate(scene, 3000);
    scene.server.clock().run_from(machine_now());
    follow(scene, 6, Seconds(0));
}

TEST_CASE("clock: this machine's is an hour, or months, away from the server's") {
    const Instant machine = machine_now();
    for (const Seconds away :
         {Seconds(-3600), Seconds(3600), Seconds(-200 * 24 * 3600), Seconds(200 * 24 * 3600)}) {
        CAPTURE(away.count());
        Scene scene;
        scene.server.clock().run_from(machine + away);
        for (std::int64_t id = 1; id <= 500; ++id) {
            scene.account.add(row(id, machine + away - Seconds(10 + 997 * id)));
        }
        follow(scene, 3);
        const Run run = scene.run({"status", "--max-lag", "1m"});
        CAPTURE(run.out);
        CHECK(run.code == 0);
    }
}

TEST_CASE("clock: this machine's is off, which sync and run say once a day, and check each time") {
    Scene scene;
    const Instant machine = machine_now();
    scene.server.clock().run_from(machine - Seconds(3 * 3600));
    for (std::int64_t id = 1; id <= 100; ++id) {
        scene.account.add(row(id, machine - Seconds(3 * 3600 + 10 + 997 * id)));
    }
    const std::string said =
        "this machine's clock is 3 h ahead of the API's; the mirror uses the "
        "API's clock, but set this one right (timedatectl set-ntp true)";
    CHECK(scene.run({"sync"}).err.find(said) != std::string::npos);
    CHECK(scene.run({"sync"}).err.find("this machine's clock") == std::string::npos);
    for (int check = 0; check < 2; ++check) {
        CHECK(scene.run({"check"}).out.find("this machine's clock is 3 h ahead of the API's") !=
              std::string::npos);
    }
    // A day later, off by another amount.
    scene.server.clock().run_from(machine + Seconds(22 * 3600));
    scene.server.start_over();
    const auto process = scene.start({"run"});
    REQUIRE(scene.server.wait(
        [](const simulator::Counters& counters) { return counters.requests >= 5; }));
    process->signal(SIGTERM);
    CHECK(process->wait() == 0);
    CHECK(process->err().find("this machine's clock is") != std::string::npos);
    CHECK(process->err().find("behind the API's") != std::string::npos);

    Scene right;
    right.server.clock().run_from(machine_now());
    right.account.add(row(1, machine_now() - Seconds(100)));
    CHECK(right.run({"sync"}).err.find("this machine's clock") == std::string::npos);
}

TEST_CASE("clock: replies without a readable Date prove nothing") {
    for (const auto form : {DateHeader::Form::absent, DateHeader::Form::unreadable}) {
        CAPTURE(static_cast<int>(form));
        Scene scene(with_date(without(form, 1)));
        populate(scene, 100);
        const Run run = scene.run({"sync"});
        CAPTURE(run.err);
        CHECK(run.code == 1);
        CHECK(run.err.find("Date") != std::string::npos);
        CHECK(scene.query("SELECT count(*) FROM coverage") == "0");
    }
}

TEST_CASE("clock: a reply in nine without a Date is asked for again") {
    Scene scene(with_date(without(DateHeader::Form::absent, 9)));
    populate(scene, 1000);
    CHECK(scene.complaint(scene.run({"sync"})) == "");
}

TEST_CASE("clock: a server whose clock goes back does not keep a claim to the future") {
    Scene scene;
    populate(scene, 1000);
    scene.server.clock().advance(std::chrono::hours(5));
    REQUIRE(scene.run({"sync"}).code == 0);
    scene.server.clock().stand_at(present());
    const Run back = scene.run({"sync"});
    CHECK(back.code == 0);
    CHECK(back.err.find("is read again") != std::string::npos);
    CHECK(scene.query("SELECT max(\"end\") FROM coverage") ==
          std::to_string((present() - Seconds(5)).time_since_epoch().count()));
    scene.account.add(row(100'000, present() + std::chrono::hours(2)));
    scene.server.clock().advance(std::chrono::hours(6));
    CHECK(scene.complaint(scene.run({"sync"})) == "");
}

TEST_CASE("clock: a server in a zone ahead of the configured one is refused") {
    Scene scene({}, {}, "Asia/Tokyo");
    scene.server.clock().stand_at(present());
    for (std::int64_t id = 1; id <= 500; ++id) {
        scene.account.add(row(id, present() - Seconds(60 * id)));
    }
    const Run run = scene.run({"sync"});
    CAPTURE(run.err);
    CHECK(run.code == 2);
    // Tokyo is eight hours ahead; the newest row is a minute old.
    CHECK(run.err.find("7 h 59 min") != std::string::npos);
    CHECK(run.err.find("time_zone") != std::string::npos);
    CHECK(scene.rows().empty());
}

TEST_CASE("clock: a server in a zone behind the configured one loses nothing, and is warned of") {
    Scene scene({}, {}, "America/New_York");
    scene.server.clock().stand_at(present());
    for (std::int64_t id = 1; id <= 500; ++id) {
        scene.account.add(row(id, present() - Seconds(60 * id)));
    }
    CHECK(scene.complaint(scene.run({"sync"})) == "");
    bool warned = false;
    for (int poll = 0; poll < 5; ++poll) {
        for (int i = 1; i <= 3; ++i) {
            scene.account.add(row(1000 + poll * 10 + i, scene.server.clock().now() + Seconds(i)));
        }
        scene.server.clock().advance(Seconds(60));
        const Run run = scene.run({"sync"});
        CHECK(scene.complaint(run) == "");
        warned |= run.err.find("6 h behind") != std::string::npos;
    }
    CHECK(warned);
}
