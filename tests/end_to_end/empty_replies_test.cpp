// A server that fails by saying "no rows": never exit 0 with rows missing.

#include <string>

#include <doctest/doctest.h>

#include "tests/end_to_end/scene.hpp"

using namespace mirror;
using namespace mirror::test;
namespace faults = simulator::faults;
namespace rules = simulator::rules;

namespace {

// 0 and exact, or not 0; and afterwards, when the server is well again, exact.
void check_honest(Scene& scene, const Run& run) {
    CAPTURE(run.code);
    CAPTURE(run.err);
    CHECK((run.code == 0 || run.code == 1 || run.code == 5));
    if (run.code == 0) {
        CHECK(scene.difference() == "");
    }
    scene.server.set_rule({});
    scene.server.clock().advance(Seconds(30));
    CHECK(scene.complaint(scene.run({"sync"})) == "");
}

}  // namespace

TEST_CASE("empty replies: from any request of a first sync on") {
    for (const std::uint64_t replies : {1U, 3U, 5U, 50U}) {
        for (std::uint64_t from = 1; from <= 14; ++from) {
            CAPTURE(replies);
            CAPTURE(from);
            Scene scene;
            populate(scene, 4000);
            scene.server.set_rule(rules::in_a_row(from, replies, faults::empty_reply()));
            check_honest(scene, scene.run({"sync"}));
        }
    }
}

TEST_CASE("empty replies: from any request of a later sync on" * every_stream) {
    for (const std::uint64_t replies : {1U, 3U, 5U, 50U}) {
        for (std::uint64_t from = 1; from <= 4; ++from) {
            for (const int minutes : {1, 300}) {
                CAPTURE(replies);
                CAPTURE(from);
                CAPTURE(minutes);
                Scene scene;
                populate(scene, 1500);
                REQUIRE(scene.run({"sync"}).code == 0);
                scene.server.clock().advance(std::chrono::minutes(minutes));
                for (int i = 0; i < 40; ++i) {
                    scene.account.add(row(100'000 + i, present() + Seconds(i)));
                }
                scene.server.start_over();
                scene.server.set_rule(rules::in_a_row(from, replies, faults::empty_reply()));
                check_honest(scene, scene.run({"sync"}));
            }
        }
    }
}

TEST_CASE("empty replies: every second one") {
    Scene scene;
    populate(scene, 4000);
    scene.server.set_rule(rules::every(2, faults::empty_reply()));
    check_honest(scene, scene.run({"sync"}));
}

TEST_CASE("empty replies: short pages that look right") {
    for (const bool honest_total : {false, true}) {
        for (std::uint64_t from = 2; from <= 12; from += 2) {
            CAPTURE(honest_total);
            CAPTURE(from);
            Scene scene;
            scene.configure("api", "connections = 1\n");
            populate(scene, 4000);
            scene.server.set_rule(rules::nth({from}, faults::short_page(1, honest_total)));
            const Run run = scene.run({"sync"});
            CAPTURE(run.err);
            if (run.code == 0) {
                CHECK(scene.difference() == "");
            } else {
                CHECK(run.code == 5);
            }
        }
    }
}
