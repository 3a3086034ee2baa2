// Do the API's count and the file's agree? Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

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

/// "the API counts 3 more", for people.
std::string text_of(const CountDifference& difference);

}  // namespace mirror::plan
