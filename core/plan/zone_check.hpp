// Does what the API shows fit the configured zone? A zone that lies behind the account's would lose
// rows silently: found by what the API shows as later than now. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/copernica/page.hpp"
#include "core/copernica/page_query.hpp"
#include "core/time/zone.hpp"

namespace mirror::plan {

/// What to ask for: all rows later than `server_now`, as read in the zone, to a day ahead. The
/// reply's rows may lie outside of its bounds by the repeated hour.
copernica::PageQuery rows_ahead_query(const Zone& zone, Instant server_now,
                                      std::uint32_t page_size);

/// Why the zone is not the account's, for people; nothing if the reply does not say so.
/// `server_now`: when the reply came, since a request may have been repeated for long.
std::optional<std::string> why_wrong_zone(const copernica::Page& page, const Zone& zone,
                                          Instant server_now);

}  // namespace mirror::plan
