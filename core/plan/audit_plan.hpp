// How an audit finds the places that differ, and how it reports them. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/copernica/page.hpp"
#include "core/copernica/page_query.hpp"
#include "core/time/window.hpp"
#include "core/time/zone.hpp"

namespace mirror::plan {

/// Whether the API returns records of exactly the second that a bound names.
struct BoundsMeaning {
    bool begin_inclusive = false;
    bool end_inclusive = false;
};

/// What two replies say about that: `around` strictly contains three seconds, and `between` has the
/// first and the last of them as its bounds. Nothing unless the API shows records where it must.
std::optional<BoundsMeaning> bounds_meaning(const copernica::Page& around,
                                            const copernica::Page& between, LocalTime first,
                                            LocalTime second, LocalTime third);

/// The query that counts the records of [begin, end), no more and no less. Neither bound lies in an
/// hour that occurs twice (see is_plain()).
copernica::PageQuery exact_count_query(const Zone& zone, const Window& window,
                                       const BoundsMeaning& bounds);

/// Whether this instant and the second before it each have a local second of their own, so that
/// a bound there means one thing only.
bool is_plain(const Zone& zone, Instant at);

/// Whether it takes fewer requests to find what differs by counting halves than to read it all:
/// `api` and `file` are the counts of a piece, `page_size` the records that one request reads.
bool worth_halving(std::uint64_t api, std::uint64_t file, std::uint32_t page_size);

/// A place where the API and the file differ: a few seconds if it was read.
struct AuditPlace {
    Window window;
    std::uint64_t missing = 0;  ///< records that the file lacks
    std::uint64_t gone = 0;     ///< rows that the API does not show any more
    std::uint64_t changed = 0;  ///< rows with other values
    friend bool operator==(const AuditPlace&, const AuditPlace&) = default;
};

/// Joins places until there are at most `most`, those that lie closest together first, so that
/// thousands of seconds that differ do not become thousands of gaps. `places` is in the order of
/// time.
std::vector<AuditPlace> join_places(const std::vector<AuditPlace>& places, std::size_t most);

}  // namespace mirror::plan
