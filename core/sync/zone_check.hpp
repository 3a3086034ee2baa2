// Does what the API shows fit the configured zone? A zone that lies behind the account's would lose
// rows silently: what the API shows as later than now tells. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/api/api.hpp"
#include "core/time/zone.hpp"

namespace mirror::sync {

/// What to ask for: all rows later than `server_now`, as read in the zone, to a day ahead.
api::PageQuery rows_ahead_query(const Zone& zone, Instant server_now, std::uint32_t page_size);

/// How far outside of that query's bounds a reply's rows may lie (see why_not_right()).
inline constexpr Seconds rows_ahead_slack{3600};

/// Why the zone is none of the account's, for people; nothing where the reply does not say so.
std::optional<std::string> why_wrong_zone(const api::PageQuery& query, const Page& page,
                                          const Zone& zone);

}  // namespace mirror::sync
