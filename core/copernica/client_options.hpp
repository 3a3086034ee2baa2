// What the client needs to know: the account's zone, and the request limits.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "core/copernica/defaults.hpp"
#include "core/time/instant.hpp"
#include "core/time/zone.hpp"

namespace mirror::copernica {

struct ClientOptions {
    explicit ClientOptions(Zone account_zone) : zone(std::move(account_zone)) {}

    Zone zone;                                      ///< the account's
    std::uint32_t page_size = defaults::page_size;  ///< records a request, 1 to largest_page
    unsigned connections = defaults::connections;   ///< requests under way at the most
    unsigned requests_per_second = defaults::requests_per_second;
    Seconds settle = defaults::settle;  ///< how old a second must be to count as complete
    std::optional<Seconds> give_up_after = defaults::give_up_after;  ///< nothing: never
    /// Of the pauses between attempts, which are partly random; nothing: another one each time.
    std::optional<std::uint64_t> jitter_seed;
};

}  // namespace mirror::copernica
