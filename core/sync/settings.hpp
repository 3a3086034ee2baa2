// Settings of a run: the account, and the request limits.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/copernica/client_options.hpp"
#include "core/sync/defaults.hpp"
#include "core/time/instant.hpp"
#include "core/time/zone.hpp"

namespace mirror::sync {

struct Settings : copernica::ClientOptions {
    explicit Settings(Zone account_zone) : ClientOptions(std::move(account_zone)) {}

    LocalTime start{std::chrono::local_days{std::chrono::year(2000) / 1 / 1}};  ///< how far back
    Seconds poll_interval = defaults::poll_interval;  ///< between the polls of `run`
    /// The same while nothing comes; not below poll_interval.
    Seconds idle_poll_interval = defaults::poll_interval;
    std::uint64_t requests_per_day = 0;  ///< of all processes on the file, by UTC day; 0: no limit
    bool leave_polls = false;  ///< requests of that budget are left for the polls of a `run`
    Seconds overlap = defaults::overlap;  ///< how much before the mark each poll reads again
    /// How old covered periods are when they are read again; none: never.
    std::vector<Seconds> recheck_ages = defaults::recheck_ages();
    /// Everything that the API shows is read again at least so often; nothing: never.
    std::optional<Seconds> sweep = defaults::sweep;
    /// What is older is erased; nothing: it is kept.
    std::optional<Seconds> keep{};
    /// What a person must do about a refused token, for people.
    std::string token_advice = "put a new token in";
};

}  // namespace mirror::sync
