// How much is there to fetch? Asked with counts alone.
#pragma once

#include <cstdint>

#include <boost/asio/awaitable.hpp>

#include "core/copernica/client.hpp"
#include "core/sync/settings.hpp"
#include "core/time/window.hpp"

namespace mirror::sync {

struct CountedRows {
    std::uint64_t rows = 0;
    /// False: part of the period was not counted, and taken to be like the rest.
    bool exact = true;
    /// Nothing of it was counted: `rows` says nothing.
    bool nothing_known = false;
};

/// Counts the records of these periods with at most `most_requests` requests: the newest first, and
/// what the API does not count as one in quarters. What is left is taken to be like what was
/// counted. Throws what ends a run.
boost::asio::awaitable<CountedRows> count_rows(copernica::Client& client, const Settings& settings,
                                               WindowSet periods, std::uint64_t most_requests);

}  // namespace mirror::sync
