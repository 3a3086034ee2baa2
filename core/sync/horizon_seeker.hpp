// Asks the API where its rows begin.
#pragma once

#include <optional>

#include <boost/asio/awaitable.hpp>

#include "core/sync/run_context.hpp"
#include "core/time/instant.hpp"
#include "core/time/window.hpp"

namespace mirror::sync {

/// Where the API's rows begin.
struct HorizonSearch {
    bool known = false;                  ///< false: the API does not say
    std::optional<Instant> first_shown;  ///< nothing: it shows the file's oldest row
};

/// Asks the API where its rows begin, if it does not show the file's oldest ones any more. What it
/// finds is not a proof yet. Costs one request if nothing has expired, about eight if the oldest
/// rows have, and some forty if rows are missing elsewhere, too.
class HorizonSeeker {
  public:
    explicit HorizonSeeker(RunContext& context) : context_(context) {}

    /// From `begin` on; or, if the API does not count so long a period, from the `known` horizon
    /// on.
    boost::asio::awaitable<HorizonSearch> seek(Instant begin, std::optional<Instant> known);

    /// Whether the oldest rows of these windows may have expired: the API shows neither the first
    /// of them that is old enough, nor anything older.
    boost::asio::awaitable<bool> may_have_expired(const WindowSet& windows);

    /// Whether the API shows nothing of this period. If it does not count so long a period, it is
    /// asked for the file's newest rows of it.
    boost::asio::awaitable<bool> shows_none(Window period);

  private:
    boost::asio::awaitable<HorizonSearch> seek_from(Instant begin);
    boost::asio::awaitable<bool> shows_row_at(LocalTime time);
    boost::asio::awaitable<std::optional<bool>> shows_any(Instant begin, Instant end);
    boost::asio::awaitable<std::optional<Instant>> bisect(Window window);

    RunContext& context_;
};

/// From when on these windows can be compared with the API now: the horizon, or what looks like one
/// and is not proven yet; or up to when everything was erased. Nothing: from their begin on.
boost::asio::awaitable<std::optional<Instant>> first_shown_now(RunContext& context,
                                                               WindowSet covered);

}  // namespace mirror::sync
