// What a load takes, and the room that there is for it, for people.
#pragma once

#include <cstdint>
#include <string>

#include "core/plan/load_estimate.hpp"
#include "daemon/config/config.hpp"

namespace mirror::daemon {

/// "about 1,000,000 rows: 1,086 requests, at least 109 s at 10 a second, 119 MB".
std::string estimate_text(const plan::LoadEstimate& estimate, const plan::LoadSettings& load);

/// The same of so many rows with these settings, and "; 9000 MB are free there".
std::string load_text(std::uint64_t rows, const Config& config);

}  // namespace mirror::daemon
