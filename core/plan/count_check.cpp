#include "core/plan/count_check.hpp"

#include <fmt/format.h>

namespace mirror::plan {

bool count_due(const CountState& last, const Horizon& horizon, Instant server_now) {
    const bool fresh = last.agreed && last.at && server_now - *last.at < count_interval &&
                       *last.at - server_now < count_interval;
    return !fresh || confirmation_due(horizon, server_now);
}

std::string text_of(const CountDifference& difference) {
    return difference.api > difference.file_most
               ? fmt::format("the API counts {} more", difference.api - difference.file_most)
               : fmt::format("the API counts {} fewer", difference.file_least - difference.api);
}

}  // namespace mirror::plan
