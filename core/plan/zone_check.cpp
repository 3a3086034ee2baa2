#include "core/plan/zone_check.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

namespace mirror::plan {
namespace {

// How far the API's rows may be ahead of its own clock before the zone is wrong.
constexpr Seconds most_ahead{60};

// In the hour that occurs twice, texts of its first pass look as if they were ahead.
LocalTime local_now(const Zone& zone, Instant server_now) {
    return zone.to_local(zone.align_up(server_now));
}

}  // namespace

copernica::PageQuery rows_ahead_query(const Zone& zone, Instant server_now,
                                      std::uint32_t page_size) {
    copernica::PageQuery query;
    query.begintime = local_now(zone, server_now);
    query.endtime = zone.to_local(zone.align_up(server_now) + std::chrono::hours(24));
    query.limit = page_size;
    return query;
}

std::optional<std::string> why_wrong_zone(const copernica::Page& page, const Zone& zone,
                                          Instant server_now) {
    const LocalTime now = local_now(zone, server_now);
    Seconds ahead{0};
    for (const Row& row : page.rows) {
        ahead = std::max<Seconds>(ahead, row.time - now);
    }
    if (ahead <= most_ahead) {
        return std::nullopt;
    }
    const auto minutes = std::chrono::round<std::chrono::minutes>(ahead).count();
    return fmt::format(
        "the API shows rows up to {} h {} min later than its own clock as read in {}: "
        "[api] time_zone is not the account's zone; put the right one in and start with a new "
        "file",
        minutes / 60, minutes % 60, zone.name());
}

}  // namespace mirror::plan
