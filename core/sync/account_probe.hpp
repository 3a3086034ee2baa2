// Questions about the account as a whole: does the API show anything, and how much.
#pragma once

#include <cstdint>
#include <optional>

#include <boost/asio/awaitable.hpp>

#include "core/copernica/client.hpp"
#include "core/sync/settings.hpp"
#include "core/time/instant.hpp"

namespace mirror::sync {

/// How many empty replies in a row are believed where a row should be: more than the longest streak
/// that the project is tested against (50).
inline constexpr int replies_for_nothing = 64;

/// Whether the API shows any record since `settings.start`. "No" is believed only after many
/// replies in a row said so: a server in trouble was seen to answer emptily for a while, and what
/// hangs on this is whether years count as empty. One small record a request, and only if
/// emptiness is to be verified. `known` is the time of a row of the file, which is asked for first.
/// Nothing if the API does not serve so long a period.
boost::asio::awaitable<std::optional<bool>> shows_anything(copernica::Client& client,
                                                           const Settings& settings,
                                                           std::optional<LocalTime> known);

/// The API's own count of the records from `begin` to `end`. Expensive there, so it is asked once;
/// 0 is asked twice. Nothing if the API does not serve this period.
boost::asio::awaitable<std::optional<std::uint64_t>> count_at_api(
    copernica::Client& client, const Settings& settings, Instant begin, Instant end,
    int most_failures = copernica::failures_before_giving_up);

/// As above, for a query that asks for `total`.
boost::asio::awaitable<std::optional<std::uint64_t>> count_at_api(
    copernica::Client& client, copernica::PageQuery query,
    int most_failures = copernica::failures_before_giving_up);

}  // namespace mirror::sync
