// What a load takes, and the room that there is for it, for people.
#pragma once

#include <cstdint>
#include <string>

#include "core/plan/load_estimate.hpp"
#include "core/record/stream.hpp"
#include "daemon/config/config.hpp"

namespace mirror::daemon {

/// "about 1,000,000 rows: 1,086 requests, at least 109 s at 10 a second, 119 MB".
std::string estimate_text(const plan::LoadEstimate& estimate, const plan::LoadSettings& load);

/// What the configuration says of a load of this stream.
plan::LoadSettings load_settings(const Config& config, const Stream& stream);

/// Of a load of so many rows: the text of its estimate and of the room.
std::string load_text(std::uint64_t rows, const Config& config, const Stream& stream);

/// "; 9000 MB are free there", and whether that is enough; empty if it is unknown.
std::string room_text(std::uint64_t needed_bytes, const Config& config);

}  // namespace mirror::daemon
