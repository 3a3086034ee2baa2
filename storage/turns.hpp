// How much a pass over the file does at once, so that other writers have a turn.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace mirror::storage {

/// Rows that one look passes by, without a lock.
constexpr std::int64_t rows_a_look = 20'000;

/// Rows or entries that one transaction deletes.
constexpr std::size_t deleted_at_once = 500;

/// Between two transactions.
constexpr std::chrono::milliseconds pause_for_others(2);

}  // namespace mirror::storage
