// Chance, as a seed has it.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "core/time/instant.hpp"

namespace mirror::soak {

/// A drawn number as a duration.
inline Seconds seconds(std::uint64_t count) {
    return Seconds(static_cast<std::int64_t>(count));
}

/// Numbers from a seed, the same with every library.
class Dice {
  public:
    explicit Dice(std::uint64_t seed) : random_(seed) {}

    std::uint64_t below(std::uint64_t limit) { return limit == 0 ? 0 : random_() % limit; }
    std::int64_t between(std::int64_t least, std::int64_t most) {
        return least +
               static_cast<std::int64_t>(below(static_cast<std::uint64_t>(most - least) + 1));
    }
    bool in(std::uint64_t hundred) { return below(100) < hundred; }
    template <typename Value>
    const Value& one_of(const std::vector<Value>& values) {
        return values[below(values.size())];
    }
    /// Small numbers often, large ones seldom; up to `most`.
    std::uint64_t skewed(std::uint64_t most) { return below(below(most + 1) + 1); }

  private:
    std::mt19937_64 random_;
};

}  // namespace mirror::soak
