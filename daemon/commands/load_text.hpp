// What a load takes, and the room that there is for it, for people.
#pragma once

#include <cstdint>
#include <string>

#include "daemon/config/config.hpp"

namespace mirror::daemon {

/// "about 1,000,000 impressions: 1,085 requests, at least 2 min at 10 a second, 119 MB; 9000 MB are
/// free there".
std::string load_text(std::uint64_t rows, const Config& config);

}  // namespace mirror::daemon
