// Times as tests write them: "YYYY-MM-DD HH:MM:SS".
#pragma once

#include <string_view>

#include "core/time/instant.hpp"
#include "core/time/text.hpp"

namespace mirror::tests {

inline LocalTime local(std::string_view text) {
    return parse_local(text).value();
}

/// In UTC.
inline Instant utc(std::string_view text) {
    return Instant(local(text).time_since_epoch());
}

}  // namespace mirror::tests
