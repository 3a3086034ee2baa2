#include "tests/unit/sync/model.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/time/text.hpp"

namespace mirror::tests {

namespace {

// A number that has nothing to do with the place, but stays the same.
std::uint64_t scrambled(std::uint64_t value) {
    value ^= value >> 31;
    value *= 0x9e3779b97f4a7c15ULL;
    value ^= value >> 29;
    value *= 0xbf58476d1ce4e5b9ULL;
    return value ^ (value >> 32);
}

}  // namespace

void Model::add(Instant at, bool nameless) {
    add_as(nameless ? 0 : next_id_, at);
    ++next_id_;
}

void Model::add_as(std::int64_t id, Instant at) {
    LoggedRow row;
    row.id = id;
    row.at = at;
    row.time = zone.to_local(at);
    rows_.push_back(row);
    sorted_by_.reset();
    next_id_ = std::max(next_id_, id + 1);
}

void Model::erase(std::size_t place) {
    rows_.erase(rows_.begin() + static_cast<std::ptrdiff_t>(place));
    sorted_by_.reset();
}

void Model::sort() const {
    if (sorted_by_ == order) {
        return;
    }
    sorted_.resize(rows_.size());
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        sorted_[i] = i;
    }
    const auto by = [&](const auto& less) {
        std::stable_sort(sorted_.begin(), sorted_.end(),
                         [&](std::size_t a, std::size_t b) { return less(rows_[a], rows_[b]); });
    };
    switch (order) {
        case Order::time:
            by([](const LoggedRow& a, const LoggedRow& b) { return a.time < b.time; });
            break;
        case Order::time_descending:
            by([](const LoggedRow& a, const LoggedRow& b) { return b.time < a.time; });
            break;
        case Order::id:
            by([](const LoggedRow& a, const LoggedRow& b) { return a.id < b.id; });
            break;
        case Order::hash:
            by([](const LoggedRow& a, const LoggedRow& b) {
                const auto key = [](const LoggedRow& row) {
                    return scrambled(static_cast<std::uint64_t>(
                        row.id + row.at.time_since_epoch().count() * 1000));
                };
                return key(a) < key(b);
            });
            break;
    }
    ranks_.resize(rows_.size());
    by_instant_ = sorted_;
    for (std::size_t rank = 0; rank < sorted_.size(); ++rank) {
        ranks_[sorted_[rank]] = rank;
    }
    std::sort(by_instant_.begin(), by_instant_.end(),
              [&](std::size_t a, std::size_t b) { return rows_[a].at < rows_[b].at; });
    sorted_by_ = order;
}

// The places of all rows that were logged from `first` to `last`, in the order of the list.
std::vector<std::size_t> Model::logged(Instant first, Instant last) const {
    const auto begin = std::partition_point(by_instant_.begin(), by_instant_.end(),
                                            [&](std::size_t i) { return rows_[i].at < first; });
    const auto end = std::partition_point(begin, by_instant_.end(),
                                          [&](std::size_t i) { return rows_[i].at <= last; });
    constexpr std::ptrdiff_t worth_sorting = 8;
    if ((end - begin) * worth_sorting > static_cast<std::ptrdiff_t>(rows_.size())) {
        return sorted_;
    }
    std::vector<std::size_t> found(begin, end);
    std::sort(found.begin(), found.end(),
              [&](std::size_t a, std::size_t b) { return ranks_[a] < ranks_[b]; });
    return found;
}

std::vector<std::size_t> Model::matching(const copernica::PageQuery& query, Instant now) const {
    sort();
    const auto instant = [&](LocalTime bound) {
        return bounds == Bounds::first_pass ? zone.earliest(bound) : zone.latest(bound);
    };
    const Instant first = instant(query.begintime);
    const Instant last = instant(query.endtime);
    const auto between = [&](auto at, auto begin, auto end) {
        return (begin_inclusive ? at >= begin : at > begin) &&
               (end_inclusive ? at <= end : at < end);
    };
    // A bound that is compared as a text may lie an hour from its instant.
    constexpr auto margin = std::chrono::hours(2);
    std::vector<std::size_t> found;
    for (const std::size_t i : logged(first - margin, last + margin)) {
        const LoggedRow& row = rows_[i];
        const bool inside = bounds == Bounds::text
                                ? between(row.time, query.begintime, query.endtime)
                                : between(row.at, first, last);
        if (row.at <= now && inside) {
            found.push_back(i);
        }
    }
    return found;
}

copernica::Page Model::answer(const copernica::PageQuery& query, Instant now) const {
    const std::vector<std::size_t> found = matching(query, now);
    copernica::Page page;
    page.start = query.start;
    page.limit = query.limit;
    if (query.total) {
        page.total = found.size();
    }
    const std::size_t most = std::min<std::size_t>(query.limit, cap);
    const std::size_t end = std::min<std::size_t>(found.size(), query.start + most);
    std::size_t position = 0;
    for (std::size_t i = query.start; i < end; ++i, ++position) {
        const LoggedRow& row = rows_[found[i]];
        if (row.id > 0) {
            mirror::Row shown;
            shown.id = row.id;
            shown.time = row.time;
            page.rows.push_back(shown);
        } else {
            Reject reject;
            reject.position = position;
            reject.time = row.time;
            reject.timestamp = format_local(row.time);
            reject.reason = "no usable ID";
            reject.record = fmt::format("{{\"timestamp\":\"{}\"}}", *reject.timestamp);
            page.rejects.push_back(reject);
        }
    }
    page.count = page.records();
    return page;
}

}  // namespace mirror::tests
