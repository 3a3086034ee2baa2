// Erasures in a life: by what people asked, and whether that is gone, and only that.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <vector>

#include "storage/erasure_rule.hpp"
#include "tests/simulator/account.hpp"
#include "tests/soak/dice.hpp"
#include "tests/soak/history.hpp"

namespace mirror::soak {

class Erasures {
  public:
    explicit Erasures(std::uint64_t seed) : dice_(seed) {}

    /// Whether it is time for one.
    bool due() { return dice_.in(25); }

    /// By a value of one of these rows, of which there must be some. Remembered as asked for.
    storage::ErasureRule any(const std::vector<simulator::TrueRow>& shown);

    /// Throws Broken if an erased row is in the file, or one was erased that matched nothing that
    /// was asked for.
    void expect_right(const std::filesystem::path& file, const History& history) const;

  private:
    bool asked_for(const simulator::TrueRow& row) const;

    Dice dice_;
    std::vector<storage::ErasureRule> rules_;
};

/// IDs that the file remembers as erased.
std::set<std::int64_t> erased_ids(const std::filesystem::path& file);

/// Throws Broken if an erasure has begun and is not finished.
void expect_none_unfinished(const std::filesystem::path& file);

}  // namespace mirror::soak
