#include "core/copernica/page_check.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "core/time/text.hpp"

namespace mirror::copernica {
namespace {

std::optional<std::string> wrong_envelope(const PageQuery& query, const Page& page) {
    if (!page.start || !page.limit || !page.count) {
        return "it lacks start, limit or count";
    }
    if (*page.start != query.start) {
        return fmt::format("it starts at {} instead of {}", *page.start, query.start);
    }
    if (*page.limit > query.limit) {
        return fmt::format("its limit is {}, more than the requested {}", *page.limit, query.limit);
    }
    if (*page.count != page.records()) {
        return fmt::format("it counts {} records and holds {}", *page.count, page.records());
    }
    if (page.records() > query.limit) {
        return fmt::format("it holds {} records, more than the requested {}", page.records(),
                           query.limit);
    }
    if (query.total) {
        if (!page.total) {
            return "it lacks the total that was asked for";
        }
        const bool some = page.records() > 0;
        if ((some && *page.total < query.start + page.records()) ||
            (!some && *page.total > query.start)) {
            return fmt::format("its total is {} with {} records from {}", *page.total,
                               page.records(), query.start);
        }
    }
    return std::nullopt;
}

std::optional<std::string> outside(const PageQuery& query, const Page& page, Seconds slack) {
    const LocalTime first = query.begintime - slack;
    const LocalTime last = query.endtime + slack;
    const auto say = [&](LocalTime time) {
        return fmt::format("it holds a record of {}, outside of the requested {} to {}",
                           format_local(time), format_local(query.begintime),
                           format_local(query.endtime));
    };
    for (const Row& row : page.rows) {
        if (row.time < first || row.time > last) {
            return say(row.time);
        }
    }
    for (const Reject& reject : page.rejects) {
        if (reject.time && (*reject.time < first || *reject.time > last)) {
            return say(*reject.time);
        }
    }
    return std::nullopt;
}

std::vector<std::string_view> unusable_records(const Page& page) {
    std::vector<std::string_view> records;
    records.reserve(page.rejects.size());
    for (const Reject& reject : page.rejects) {
        records.push_back(reject.record);
    }
    std::sort(records.begin(), records.end());
    return records;
}

bool has_equal_unusable(const Page& page) {
    const std::vector<std::string_view> records = unusable_records(page);
    return std::adjacent_find(records.begin(), records.end()) != records.end();
}

}  // namespace

std::optional<std::string> why_invalid(const PageQuery& query, const Page& page, Seconds slack) {
    if (auto why = wrong_envelope(query, page)) {
        return why;
    }
    return outside(query, page, slack);
}

std::optional<std::string> why_doubtful(const Page& page) {
    if (page.twin) {
        return fmt::format("it holds the ID {} twice, with the same time", *page.twin);
    }
    // The second may stand in the place of another record: without an ID, nothing else tells.
    if (has_equal_unusable(page)) {
        return "it holds the same unusable record twice";
    }
    const std::size_t most = std::max<std::size_t>(3, page.records() / 100);
    if (page.rejects.size() <= most) {
        return std::nullopt;
    }
    return fmt::format("{} of its {} records are unusable, such as one with {}",
                       page.rejects.size(), page.records(), page.rejects.front().reason);
}

bool same_unusable(const Page& a, const Page& b) {
    return unusable_records(a) == unusable_records(b);
}

}  // namespace mirror::copernica
