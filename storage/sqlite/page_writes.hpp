// What SQLite writes, as a sign of life: a checkpoint runs no statement, so that SQLite's progress
// handler does not hear of it, and one of a large log takes minutes on a slow disk.
#pragma once

#include <cstdint>

namespace mirror::storage {

/// Counts from now on. Before the first file is opened; again without harm.
void count_page_writes();

/// Writes to files by SQLite in this process. From any thread.
std::uint64_t page_writes();

}  // namespace mirror::storage
