// Do the API's count and the file's agree? Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/plan/horizon.hpp"

namespace mirror::plan {

/// The file and the API do not agree on how many records there are.
struct CountDifference {
    std::uint64_t api = 0;
    std::uint64_t file_least = 0;  ///< before the next tail
    std::uint64_t file_most = 0;   ///< after it
};

/// Rows come in while the API counts, so its count must lie between the file's before and after the
/// next tail. Nothing if it does.
[[nodiscard]] inline std::optional<CountDifference> difference_of(std::uint64_t api,
                                                                  std::uint64_t file_before,
                                                                  std::uint64_t file_after) {
    if (file_before <= api && api <= file_after) {
        return std::nullopt;
    }
    return CountDifference{api, file_before, file_after};
}

/// What is known of the last time when the API counted everything.
struct CountState {
    bool agreed = false;  ///< with the file, for all that the mirror reaches back to
    std::optional<Instant> at;
};

/// The API counts everything so often; more often while a horizon waits for its second proof.
inline constexpr Seconds count_interval = std::chrono::hours(24 * 7);
bool count_due(const CountState& last, const Horizon& horizon, Instant server_now);

/// "the API counts 3 more", for people.
std::string text_of(const CountDifference& difference);

}  // namespace mirror::plan
