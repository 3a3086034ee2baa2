#include "core/plan/statistics_audit.hpp"

#include <algorithm>
#include <set>

namespace mirror::plan {
namespace {

std::optional<Instant> end_of(const ComparableStream& stream, Instant to) {
    const WindowSet covered = stream.covered.within({Instant::min(), to});
    return covered.empty() ? std::nullopt : std::optional(covered.windows().back().end);
}

// The first of the ends, without those that are left behind.
std::optional<Instant> common_end(const std::vector<ComparableStream>& streams, Instant to) {
    std::optional<Instant> latest;
    for (const ComparableStream& stream : streams) {
        latest = std::max(latest, end_of(stream, to));
    }
    std::optional<Instant> common = latest;
    for (const ComparableStream& stream : streams) {
        const std::optional<Instant> end = end_of(stream, to);
        if (end && *latest - *end <= lagging) {
            common = std::min(common, end);
        }
    }
    return common;
}

// Where the complete period that reaches `end` has begun; nothing if none does.
std::optional<Instant> unbroken_since(const ComparableStream& stream, Instant end) {
    const WindowSet covered = stream.covered.within({Instant::min(), end});
    const bool reaches = !covered.empty() && covered.windows().back().end == end;
    return reaches ? std::optional(covered.windows().back().begin) : std::nullopt;
}

// What the API counts more of one mailing, of events and of destinations.
struct Excess {
    std::uint64_t total = 0;
    std::uint64_t unique = 0;
    bool explicable = true;

    void add(const StatisticsDifference& difference) {
        if (difference.api < difference.file) {
            explicable = false;
            return;
        }
        (difference.of_unique ? unique : total) = difference.api - difference.file;
    }
};

}  // namespace

StatisticsPeriod statistics_period(const std::vector<ComparableStream>& streams,
                                   std::optional<Instant> from, Instant to) {
    StatisticsPeriod period;
    period.uncovered.resize(streams.size());
    const std::optional<Instant> end = common_end(streams, to);
    if (!end) {
        if (from) {
            for (WindowSet& uncovered : period.uncovered) {
                uncovered.add({*from, to});
            }
        }
        return period;
    }
    std::optional<Instant> begin = from;
    Instant earliest = from.value_or(*end);
    for (const ComparableStream& stream : streams) {
        const std::optional<Instant> since = unbroken_since(stream, *end);
        if (!since) {
            continue;
        }
        if (!from) {
            begin = std::max(begin, since);
            earliest = std::min(earliest, stream.covered.windows().front().begin);
        }
        begin = std::max(begin, stream.shown_from);
    }
    for (std::size_t i = 0; i < streams.size(); ++i) {
        const Instant first = std::max(earliest, streams[i].shown_from.value_or(earliest));
        const bool has_any = !streams[i].covered.empty();
        // Without `from`, a stream is not expected to reach further back than it does.
        const Instant expected =
            from || !has_any ? first : std::max(first, streams[i].covered.windows().front().begin);
        period.uncovered[i].add({expected, *end});
        period.uncovered[i].subtract(streams[i].covered);
    }
    if (begin && *begin < *end) {
        period.window = {*begin, *end};
    }
    return period;
}

std::vector<StatisticsDifference> differences_of(std::int64_t mailing, const Stream& stream,
                                                 const copernica::EventCount& api,
                                                 const MailingCount& file) {
    std::vector<StatisticsDifference> differences;
    if (api.total != file.total) {
        differences.push_back({mailing, &stream, false, api.total, file.total});
    }
    if (api.unique &&
        (*api.unique < file.unique || *api.unique > file.unique + file.without_destination)) {
        differences.push_back({mailing, &stream, true, *api.unique, file.unique});
    }
    return differences;
}

std::optional<UnattributedRecords> take_explained(std::vector<StatisticsDifference>& differences,
                                                  const Stream& stream,
                                                  std::uint64_t unattributed) {
    std::map<std::int64_t, Excess> by_mailing;
    for (const StatisticsDifference& difference : differences) {
        if (difference.stream == &stream) {
            by_mailing[difference.mailing].add(difference);
        }
    }
    UnattributedRecords explained;
    explained.stream = &stream;
    explained.records = unattributed;
    std::set<std::int64_t> mailings;
    for (const auto& [mailing, excess] : by_mailing) {
        // Each event has one destination at the most.
        if (excess.explicable && excess.unique <= excess.total) {
            mailings.insert(mailing);
            explained.more += excess.total;
        }
    }
    explained.mailings = mailings.size();
    if (mailings.empty() || explained.more > unattributed) {
        return std::nullopt;
    }
    std::erase_if(differences, [&](const StatisticsDifference& difference) {
        return difference.stream == &stream && mailings.contains(difference.mailing);
    });
    return explained;
}

}  // namespace mirror::plan
