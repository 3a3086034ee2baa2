#include "core/plan/missing_search.hpp"

#include <algorithm>
#include <bit>

namespace mirror::plan {

// What it costs at most: for each missing record a count for each halving and a page, and the count
// at the end.
std::optional<MissingSearch> MissingSearch::plan(const copernica::PageQuery& whole,
                                                 std::vector<LocalTime> times,
                                                 std::uint64_t missing, const Zone& zone) {
    std::sort(times.begin(), times.end());
    const std::size_t page = whole.limit;
    const std::size_t wanted = std::max<std::size_t>(page - page / 4, 1);
    MissingSearch search(whole, times.size() + missing);
    search.cuts_.push_back(whole.begintime);
    search.before_.push_back(0);
    std::size_t last_cut = 0;
    for (std::size_t i = 1; i < times.size(); ++i) {
        if (i - last_cut < wanted) {
            continue;
        }
        const LocalTime free = zone.second_after(times[i - 1]);
        if (free < times[i]) {
            search.cuts_.push_back(free);
            search.before_.push_back(i);
            last_cut = i;
        } else if (i - last_cut > page) {
            return std::nullopt;
        }
    }
    search.cuts_.push_back(whole.endtime);
    search.before_.push_back(times.size());
    if (times.size() - last_cut > page) {
        return std::nullopt;
    }
    const std::uint64_t pieces = search.cuts_.size() - 1;
    const std::uint64_t each = std::uint64_t(std::bit_width(pieces - 1)) + 1;
    if (missing > pieces || missing * each + 1 >= pieces) {
        return std::nullopt;
    }
    search.ranges_.push_back({0, static_cast<std::size_t>(pieces), missing});
    search.ask_next();
    return search;
}

std::uint64_t MissingSearch::known(std::size_t first, std::size_t last) const {
    return before_[last] - before_[first];
}

MissingSearch::Range MissingSearch::left_half() const {
    const Range& range = ranges_.back();
    return {range.first, range.first + (range.last - range.first) / 2, 0};
}

MissingSearch::Verdict MissingSearch::ask_next() {
    while (!ranges_.empty() && ranges_.back().missing == 0) {
        ranges_.pop_back();
    }
    query_ = whole_;
    query_.start = 0;
    query_.total = true;
    if (ranges_.empty()) {
        if (counting_again_) {
            return Verdict::found;
        }
        counting_again_ = true;
        query_.limit = 1;
        return Verdict::ask_on;
    }
    Range asked = ranges_.back();
    if (asked.last - asked.first > 1) {
        asked = left_half();
        query_.limit = 1;
    }
    query_.begintime = cuts_[asked.first];
    query_.endtime = cuts_[asked.last];
    return Verdict::ask_on;
}

MissingSearch::Verdict MissingSearch::accept(std::uint64_t total, std::uint64_t fresh) {
    if (counting_again_) {
        return total == counted_ && fresh == 0 ? Verdict::found : Verdict::lost;
    }
    Range& range = ranges_.back();
    if (range.last - range.first == 1) {
        if (fresh != range.missing || total != known(range.first, range.last) + fresh) {
            return Verdict::lost;
        }
        ranges_.pop_back();
        return ask_next();
    }
    Range left = left_half();
    const std::uint64_t known_left = known(left.first, left.last);
    // If a count brings a missing record along, the piece that it belongs to is not known.
    if (fresh > 0 || total < known_left || total - known_left > range.missing) {
        return Verdict::lost;
    }
    left.missing = total - known_left;
    range.first = left.last;
    range.missing -= left.missing;
    ranges_.push_back(left);
    return ask_next();
}

}  // namespace mirror::plan
