// What tests of `run` share: an account in which something happens all the time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/time/instant.hpp"
#include "tests/support/times.hpp"
#include "tests/unit/sync/world.hpp"

namespace mirror::tests {

inline const Instant live_noon = utc("2026-11-23 11:00:00");

inline std::size_t count(const std::vector<std::string>& lines, const std::string& part) {
    return static_cast<std::size_t>(std::count_if(
        lines.begin(), lines.end(),
        [&](const std::string& line) { return line.find(part) != std::string::npos; }));
}

// An account with a row every ten minutes, two days before noon and on to the end of time.
struct Live : World {
    Live() : World(live_noon) {
        settings.start = local("2026-11-21 00:00:00");
        settings.give_up_after.reset();
        settings.poll_interval = Seconds(300);
        settings.jitter_seed = 1;
        for (Instant at = live_noon - std::chrono::hours(36);
             at < live_noon + std::chrono::hours(24 * 20); at += std::chrono::minutes(10)) {
            model.add(at);
        }
    }

    // Complete to within two polls, and right.
    void check_caught_up() const {
        CHECK(difference() == "");
        REQUIRE_FALSE(store.covered.empty());
        CHECK(store.covered.windows().back().end >= clock.now() - 2 * settings.poll_interval);
        CHECK(store.covered.windows().size() == 1);
    }
};

/// All requests so far.
inline std::uint64_t asked(const World& world) {
    return world.api.pages + world.api.identities;
}

}  // namespace mirror::tests
