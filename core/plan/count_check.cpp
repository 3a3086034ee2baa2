#include "core/plan/count_check.hpp"

#include <fmt/format.h>

namespace mirror::plan {

std::string text_of(const CountDifference& difference) {
    return difference.api > difference.file_most
               ? fmt::format("the API counts {} more", difference.api - difference.file_most)
               : fmt::format("the API counts {} fewer", difference.file_least - difference.api);
}

}  // namespace mirror::plan
