#include "core/plan/window_aim.hpp"

#include <algorithm>

namespace mirror::plan {

std::optional<std::uint64_t> better_total(const WindowFill& fill) {
    if (fill.page_size < 2 || fill.wanted == 0 || fill.received == 0) {
        return std::nullopt;
    }
    const std::uint64_t page = fill.page_size - 1;  // new records
    const std::uint64_t left = fill.total - std::min(fill.received, fill.total);
    const auto pages_up_to = [&](std::uint64_t records) {
        return (records - std::min(fill.received, records)) / page;
    };
    const std::uint64_t windows_pages = (fill.wanted + fill.page_size - 1) / fill.page_size;
    const std::uint64_t most = most_records(fill.wanted);
    std::uint64_t pages = pages_up_to(windows_pages * page + 1);
    if (left > pages * page) {
        // A window that is a little too large keeps its full pages, one that is far too large does
        // not.
        const bool crowded = fill.total > most && pages > 0;
        pages =
            crowded ? pages : std::max(left / page, std::min<std::uint64_t>(pages_up_to(most), 1));
    }
    if (pages == 0) {
        return std::nullopt;
    }
    const std::uint64_t full = pages * page;
    const std::uint64_t change = full > left ? full - left : left - full;
    const std::uint64_t margin = std::min(page / 2, page / 8 + change / 4);
    const std::uint64_t empty = (page - left % page) % page;
    const bool long_enough = fill.total * 2 >= fill.wanted && fill.total <= most;
    if (long_enough && empty <= std::max(margin, page / 5)) {
        return std::nullopt;
    }
    const std::uint64_t target = fill.received + full - margin;
    return target == fill.total ? std::nullopt : std::optional(target);
}

}  // namespace mirror::plan
