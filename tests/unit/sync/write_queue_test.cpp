#include "core/sync/write_queue.hpp"

#include <vector>

#include <doctest/doctest.h>

using namespace mirror;
using namespace mirror::sync;

namespace {

Instant at(int seconds) {
    return Instant(Seconds(seconds));
}

WholeWindow whole(int begin) {
    WholeWindow made;
    made.window = {at(begin), at(begin + 10)};
    return made;
}

std::vector<Instant> begins(const std::vector<WholeWindow>& windows) {
    std::vector<Instant> all;
    for (const WholeWindow& window : windows) {
        all.push_back(window.window.begin);
    }
    return all;
}

}  // namespace

TEST_CASE("writing: newest first takes what comes, in the order in which it came") {
    WriteQueue queue(plan::Direction::newest_first);
    queue.push(whole(30));
    queue.push(whole(10));
    CHECK(begins(queue.take(at(0), at(0))) == std::vector{at(30), at(10)});
    CHECK(queue.take(std::nullopt, std::nullopt).empty());
}

TEST_CASE("writing: oldest first waits for what is older and will be there soon") {
    WriteQueue queue(plan::Direction::oldest_first);
    queue.push(whole(30));
    queue.push(whole(10));
    queue.push(whole(50));
    CHECK(begins(queue.take(at(20), at(60))) == std::vector{at(10)});
    CHECK(queue.take(at(20), at(60)).empty());
    // A period that no worker reads yet comes first, too.
    CHECK(queue.take(at(60), at(20)).empty());
    CHECK(begins(queue.take(at(40), at(60))) == std::vector{at(30)});
    // Without a window that is worth waiting for, nothing waits.
    CHECK(begins(queue.take(std::nullopt, at(0))) == std::vector{at(50)});
}
