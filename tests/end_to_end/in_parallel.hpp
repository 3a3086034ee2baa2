// Scenes that mostly wait for the next try, played side by side.
#pragma once

#include <algorithm>
#include <cstddef>
#include <future>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace mirror::test {

/// Plays a scene for each of `all`, some at a time. `play` returns what went wrong.
template <typename Cases, typename Play>
void in_parallel(const Cases& all, const Play& play, std::size_t at_once = 6) {
    for (std::size_t first = 0; first < all.size(); first += at_once) {
        std::vector<std::future<std::string>> playing;
        for (std::size_t i = first; i < std::min(first + at_once, all.size()); ++i) {
            playing.push_back(
                std::async(std::launch::async, [&play, &one = all[i]] { return play(one); }));
        }
        for (auto& one : playing) {
            CHECK(one.get() == "");
        }
    }
}

}  // namespace mirror::test
