// What the client needs to know: the account's zone, and the request limits.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "core/time/instant.hpp"
#include "core/time/zone.hpp"

namespace mirror::copernica {

struct ClientOptions {
    explicit ClientOptions(Zone account_zone) : zone(std::move(account_zone)) {}

    Zone zone;                       ///< the account's
    std::uint32_t page_size = 1000;  ///< records a request, 1 to 1000
    unsigned connections = 4;        ///< requests under way at the most
    unsigned requests_per_second = 10;
    Seconds settle{5};  ///< how old a second must be to count as complete
    std::optional<Seconds> give_up_after = Seconds(900);  ///< nothing: never
    /// Of the pauses between attempts, which are partly random; nothing: another one each time.
    std::optional<std::uint64_t> jitter_seed;
};

}  // namespace mirror::copernica
