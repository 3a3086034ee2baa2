// What a run is told about the account and about manners.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/time/instant.hpp"
#include "core/time/zone.hpp"

namespace mirror::sync {

struct Settings {
    explicit Settings(Zone account_zone) : zone(std::move(account_zone)) {}

    Zone zone;                                                    ///< the account's
    LocalTime start{date::local_days{date::year(2000) / 1 / 1}};  ///< how far back
    std::uint32_t page_size = 1000;                               ///< records a request, 1 to 1000
    unsigned connections = 4;  ///< requests under way at the most
    unsigned requests_per_second = 10;
    Seconds poll_interval{60};  ///< between the polls of `run`
    Seconds overlap{120};       ///< how much before the mark each poll reads again
    Seconds settle{5};          ///< how old a second must be to be believed complete
    /// How old covered periods are when they are read again; none: never.
    std::vector<Seconds> audit_ages{Seconds(900), Seconds(86400), Seconds(604800)};
    std::optional<Seconds> give_up_after = Seconds(900);  ///< nothing: never
    /// What a person must do about a refused token, for people.
    std::string token_advice = "put a new token in";
    /// Of the pauses between attempts, which are partly random; nothing: another one each time.
    std::optional<std::uint64_t> jitter_seed;
};

}  // namespace mirror::sync
