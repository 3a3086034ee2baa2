// How many records a window should hold, so that its pages are full. Pure.
#pragma once

#include <cstdint>
#include <optional>

namespace mirror::plan {

/// A window that is being read, as its replies have shown it.
struct WindowFill {
    std::uint64_t total = 0;      ///< records, by the last count
    std::uint64_t received = 0;   ///< of these
    std::uint64_t wanted = 0;     ///< records that a window should hold
    std::uint32_t page_size = 0;  ///< records
};

/// A window that should hold so many records is crowded if it holds more than this: it ends earlier
/// if that is possible.
constexpr std::uint64_t most_records(std::uint64_t wanted) {
    return wanted + wanted / 4;
}

/// So many records would leave less of the last page empty: the window's end should move to where
/// it holds them. Nothing if the window is good as it is.
///
/// Nobody knows how many records a window holds before it is counted. So its last page is half full
/// on average, and if it holds half of what it should, there are twice as many last pages. What is
/// still to come is aimed at full pages, less what the aim may be off by: an eighth of a page, and
/// a quarter of the records that are added or left out, half a page at the most. One record too
/// many costs a request, so the aim is below. A window that holds at least half of what it should
/// is good if no more than this, or a fifth, of its last page is empty. Each page after the first
/// repeats one record.
std::optional<std::uint64_t> better_total(const WindowFill& fill);

}  // namespace mirror::plan
