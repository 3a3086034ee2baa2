// Several texts that must never be shown: the tokens of a process so far.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

#include "core/util/secret.hpp"

namespace mirror {

/// A reply may repeat any token that it, or an earlier request, was asked with.
class Secrets {
  public:
    /// Kept for good.
    void add(Secret secret);
    /// One of many that follow each other: the oldest of them are forgotten.
    void add_passing(Secret secret);

    /// The text with every occurrence of each of them replaced.
    std::string redact(std::string_view text) const;
    /// Whether one of them stands in the text, and not by chance: see Secret::occurs_in().
    bool occurs_in(std::string_view text) const;
    /// The text with every occurrence of those replaced, and of no others.
    std::string mask(std::string_view text) const;

  private:
    static constexpr std::size_t most_passing = 8;

    std::deque<Secret> lasting_;
    std::deque<Secret> passing_;
};

}  // namespace mirror
