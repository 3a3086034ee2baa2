// What an account, its API and a configuration may be like, drawn from a seed.
#pragma once

#include <cstdint>

#include "core/time/window.hpp"
#include "tests/soak/dice.hpp"
#include "tests/soak/rows.hpp"
#include "tests/soak/world.hpp"

namespace mirror::soak {

/// What the API does with rows.
Fate any_fate(Dice& dice);

/// A server, as the documentation leaves it open.
simulator::Behaviour any_behaviour(Dice& dice);

/// A configuration, as people may have it.
void any_settings(sync::Settings& settings, Dice& dice);

/// The time at the start: an ordinary day, or around a night when clocks are changed.
Instant any_moment(Dice& dice, const Zone& zone);

/// What goes wrong with the API for a while.
class Weather {
  public:
    /// `percent` of the requests fail. With `lies`, some replies look right and are not.
    Weather(Dice& dice, std::uint64_t percent, bool lies)
        : dice_(dice), percent_(percent), lies_(lies) {}

    Trouble trouble(const simulator::Request& request);

  private:
    Dice& dice_;
    std::uint64_t percent_;
    bool lies_;
};

}  // namespace mirror::soak
