// "Did you mean …?"
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mirror {

/// The word of `known` that `word` was probably meant to be: it has `word` as its beginning, or
/// differs from it in few letters (one that is missing, added, wrong, or swapped with its
/// neighbor). Nothing if no word is near, or if several begin with `word`.
std::optional<std::string> nearest_word(std::string_view word,
                                        const std::vector<std::string>& known);

}  // namespace mirror
