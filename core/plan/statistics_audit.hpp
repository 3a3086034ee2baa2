// How the API's statistics of mailings are compared with the file: of which period, what differs,
// and what does not count as a difference. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "core/copernica/statistics.hpp"
#include "core/record/stream.hpp"
#include "core/time/instant.hpp"
#include "core/time/window.hpp"

namespace mirror::plan {

/// Where one stream can be compared.
struct ComparableStream {
    WindowSet covered;
    std::optional<Instant> shown_from;  ///< what is before it may have expired, or was erased
};

/// What one request for each mailing can compare.
struct StatisticsPeriod {
    Window window;  ///< empty: nothing can be compared
    /// For each of the streams: what is not complete in the file of the period that was asked for.
    /// A stream can be compared if it is complete in all of `window`, whatever else it lacks.
    std::vector<WindowSet> uncovered;
};

/// A stream whose coverage ends so much earlier than that of the others is left behind: it does not
/// keep them from being compared up to their ends.
inline constexpr Seconds lagging = std::chrono::hours(24);

/// The period in which as many streams as can be are complete. `from` and `to`, if they are given,
/// bound it. Without `from`, it begins where the last unbroken complete period of each stream has
/// begun. It ends with the coverage that ends first, but see `lagging`; never later than `to`.
StatisticsPeriod statistics_period(const std::vector<ComparableStream>& streams,
                                   std::optional<Instant> from, Instant to);

/// What the file has of a mailing's events: rows that the API still returns, and rejects.
struct MailingCount {
    std::uint64_t total = 0;
    std::uint64_t unique = 0;               ///< distinct destinations
    std::uint64_t without_destination = 0;  ///< of the total
    friend bool operator==(const MailingCount&, const MailingCount&) = default;
};

/// All of a stream in a period.
struct MailingCounts {
    std::map<std::int64_t, MailingCount> by_mailing;
    /// Records that the API may count for one mailing or another, and the file cannot: erased ones,
    /// and rejects without a readable mailing or time.
    std::uint64_t unattributed = 0;
};

/// A number of a mailing that is not the same.
struct StatisticsDifference {
    std::int64_t mailing = 0;
    const Stream* stream = nullptr;
    bool of_unique = false;  ///< of distinct destinations; false: of events
    std::uint64_t api = 0;
    std::uint64_t file = 0;
    friend bool operator==(const StatisticsDifference&, const StatisticsDifference&) = default;
};

/// What differs. It is undocumented whether `unique` counts events without a destination, once or
/// each: so it may be greater by their number.
std::vector<StatisticsDifference> differences_of(std::int64_t mailing, const Stream& stream,
                                                 const copernica::EventCount& api,
                                                 const MailingCount& file);

/// What the API counts more of a stream because of records that the file cannot attribute.
struct UnattributedRecords {
    const Stream* stream = nullptr;
    std::uint64_t records = 0;   ///< so many there are
    std::uint64_t more = 0;      ///< so many events more the API counts
    std::uint64_t mailings = 0;  ///< of so many mailings
};

/// Takes out of `differences` those of `stream` that so many unattributed records can explain: the
/// API counts more of these mailings, and together no more than that. All of them or none: it
/// cannot be known which. Nothing if there are none, or if they are too many.
std::optional<UnattributedRecords> take_explained(std::vector<StatisticsDifference>& differences,
                                                  const Stream& stream, std::uint64_t unattributed);

}  // namespace mirror::plan
