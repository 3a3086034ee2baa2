// What all streams of a session share: one throttle, one clock, one identity, one check of the
// zone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/any_io_executor.hpp>

#include "core/copernica/api_access.hpp"
#include "core/copernica/errors.hpp"
#include "core/plan/window_load.hpp"
#include "core/sync/adaptive_state.hpp"
#include "core/sync/observer.hpp"
#include "core/sync/request_ledger.hpp"
#include "core/sync/settings.hpp"
#include "core/sync/stop_request.hpp"
#include "core/sync/store.hpp"
#include "core/time/clock.hpp"
#include "core/util/async_condition.hpp"
#include "core/util/semaphore.hpp"

namespace mirror::sync {

struct SharedContext {
    /// `any_store`: of any stream of the file. `streams`: how many there are.
    SharedContext(const boost::asio::any_io_executor& run_executor, copernica::Api& api,
                  Store& any_store, Clock& run_clock, Observer& run_observer,
                  const Settings& run_settings, unsigned streams)
        : executor(run_executor),
          clock(run_clock),
          observer(run_observer),
          requests(any_store, run_clock, run_settings.requests_per_day, streams),
          counted_api(api, requests),
          access(run_executor, counted_api, run_clock, run_observer, run_settings, streams),
          room_changed(run_executor) {
        room.most = std::uint64_t{AdaptiveState::pages_a_connection} * run_settings.connections *
                    run_settings.page_size;
    }
    SharedContext(const SharedContext&) = delete;
    SharedContext& operator=(const SharedContext&) = delete;

    /// The token may be another account's from now on.
    void forget_account() {
        account.reset();
        zone_checked = false;
    }

    /// All streams learn of a refused token, with texts of their own calls. Warns of it once: until
    /// a token is taken, or refused in another way.
    void warn_of_refusal(const copernica::TokenRefused& refused, const std::string& text) {
        if (std::exchange(refusal_told, refused.status()) != refused.status()) {
            observer.warning(text);
        }
    }

    boost::asio::any_io_executor executor;
    Clock& clock;
    Observer& observer;
    RequestLedger requests;
    CountedApi counted_api;
    copernica::ApiAccess access;
    StopRequest stop;
    /// Of all that is fetched at a time: tails, and what is read beside them.
    plan::RecordBudget room;
    AsyncCondition room_changed;

    // What the preflights of the streams have found, each for all of them.
    Semaphore preflight{1};  ///< held by the one at work
    std::optional<copernica::Identity> account;
    bool zone_checked = false;
    /// Of a token, its HTTP status; nothing while it is taken.
    std::optional<int> refusal_told;

    /// When a warning of this machine's clock was last given, as far as is known.
    std::optional<Monotonic> clock_warned;
};

}  // namespace mirror::sync
