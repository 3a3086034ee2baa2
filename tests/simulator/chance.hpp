// Numbers at random that are the same with every library: the standard's distributions are not.
#pragma once

#include <cstdint>
#include <random>

namespace simulator {

/// From 0 to limit - 1.
inline std::uint64_t below(std::mt19937_64& random, std::uint64_t limit) {
    return limit == 0 ? 0 : random() % limit;
}

/// From 0, to less than 1.
inline double fraction(std::mt19937_64& random) {
    constexpr double parts = 9007199254740992.0;  // 2^53
    return static_cast<double>(random() >> 11U) / parts;
}

/// Spreads neighbours far apart; the same for the same input.
constexpr std::uint64_t scatter(std::uint64_t value) {
    value += 0x9e3779b97f4a7c15U;
    value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
    value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
    return value ^ (value >> 31U);
}

}  // namespace simulator
