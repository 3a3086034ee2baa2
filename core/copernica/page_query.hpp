// One request for a page, as a value.
#pragma once

#include <cstdint>

#include "core/time/instant.hpp"

namespace mirror::copernica {

/// The most records that the API gives in one reply; a larger `limit` is silently cut to it.
inline constexpr std::uint32_t largest_page = 1000;

/// One request for records of a stream. Whether a row at exactly a bound's second is returned is
/// undocumented, so the bounds are named for the only thing that is sure.
struct PageQuery {
    LocalTime begintime{};    ///< rows later than this are returned (perhaps at it, too)
    LocalTime endtime{};      ///< rows earlier than this are returned (perhaps at it, too)
    std::uint64_t start = 0;  ///< offset of the first record
    std::uint32_t limit = largest_page;  ///< records at the most
    bool total = false;                  ///< ask for the number of all records of the period

    friend bool operator==(const PageQuery&, const PageQuery&) = default;
};

}  // namespace mirror::copernica
