#include "core/plan/zone_check.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

namespace mirror::plan {
namespace {

// How far the API's rows may be ahead of its own clock before the zone is wrong.
constexpr Seconds most_ahead{60};

}  // namespace

copernica::PageQuery rows_ahead_query(const Zone& zone, Instant server_now,
                                      std::uint32_t page_size) {
    // In the hour that occurs twice, texts of its first pass look as if they were ahead.
    const Instant now = zone.align_up(server_now);
    copernica::PageQuery query;
    query.begintime = zone.to_local(now);
    query.endtime = zone.to_local(now + std::chrono::hours(24));
    query.limit = page_size;
    return query;
}

std::optional<std::string> why_wrong_zone(const copernica::PageQuery& query,
                                          const copernica::Page& page, const Zone& zone) {
    Seconds ahead{0};
    for (const Row& row : page.rows) {
        ahead = std::max<Seconds>(ahead, row.time - query.begintime);
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
