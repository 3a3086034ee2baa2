// What the API counts of one mailing.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/record/stream.hpp"
#include "core/time/instant.hpp"

namespace mirror::copernica {

/// The events of one stream.
struct EventCount {
    std::uint64_t total = 0;
    std::optional<std::uint64_t> unique;  ///< distinct destinations; see StatisticsForm
    friend bool operator==(const EventCount&, const EventCount&) = default;
};

/// Events of a mailing from `begintime` to `endtime`. As with pages, it is undocumented whether
/// those of exactly these seconds are counted.
struct StatisticsQuery {
    std::int64_t mailing = 0;
    LocalTime begintime{};
    LocalTime endtime{};
    /// What is to be counted: each of them has a StatisticsForm. At least one.
    std::vector<const Stream*> streams;
};

struct StatisticsReply {
    /// In the order of the query's streams; nothing: the API knows no such mailing.
    std::optional<std::vector<EventCount>> counts;
    std::optional<Instant> date;  ///< the reply's `Date`, if it has a readable one
};

}  // namespace mirror::copernica
