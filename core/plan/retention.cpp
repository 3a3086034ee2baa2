#include "core/plan/retention.hpp"

#include <chrono>

namespace mirror::plan {

Instant kept_from(const Zone& zone, Instant now, Seconds keep) {
    const LocalTime day = std::chrono::floor<std::chrono::days>(zone.to_local(now - keep));
    return zone.align_down(zone.earliest(day));
}

}  // namespace mirror::plan
