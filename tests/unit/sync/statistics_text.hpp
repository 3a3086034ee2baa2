// Differences of statistics as a text to compare.
#pragma once

#include <string>
#include <vector>

#include "core/plan/statistics_audit.hpp"

namespace mirror::tests {

/// "7 total 5:4": the API's number first.
inline std::string text_of(const std::vector<plan::StatisticsDifference>& differences) {
    std::string text;
    for (const plan::StatisticsDifference& difference : differences) {
        text += (text.empty() ? "" : ", ") + std::to_string(difference.mailing) +
                (difference.of_unique ? " unique " : " total ") + std::to_string(difference.api) +
                ":" + std::to_string(difference.file);
    }
    return text;
}

}  // namespace mirror::tests
