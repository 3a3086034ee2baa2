// How long rows are kept. Pure.
#pragma once

#include "core/time/instant.hpp"
#include "core/time/zone.hpp"

namespace mirror::plan {

/// What is older than `keep` is to be erased: from the begin of a local day on, so that there is
/// something to erase once a day.
Instant kept_from(const Zone& zone, Instant now, Seconds keep);

}  // namespace mirror::plan
