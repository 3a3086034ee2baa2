// What the parts of a run share.
#pragma once

#include <cstdint>

#include <boost/asio/any_io_executor.hpp>

#include "core/copernica/client.hpp"
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

struct RunContext {
    RunContext(const boost::asio::any_io_executor& run_executor, copernica::Api& api,
               Store& run_store, Clock& run_clock, Observer& run_observer,
               const Settings& run_settings)
        : executor(run_executor),
          store(run_store),
          clock(run_clock),
          observer(run_observer),
          settings(run_settings),
          requests(run_store, run_clock, run_settings.requests_per_day),
          counted_api(api, requests),
          client(run_executor, counted_api, run_clock, run_observer, run_settings),
          adaptive(run_settings.page_size),
          room_changed(run_executor) {
        room.most = std::uint64_t{AdaptiveState::windows_a_connection} * run_settings.connections *
                    AdaptiveState::pages_a_window * run_settings.page_size;
    }
    RunContext(const RunContext&) = delete;
    RunContext& operator=(const RunContext&) = delete;

    /// From the configured start to the server's settled now.
    Window everything() const {
        return {settings.zone.align_down(settings.zone.earliest(settings.start)), client.settled()};
    }

    /// Where the day's budget stands, while windows at work may still make so many requests.
    plan::BudgetState budget(std::uint64_t at_work = 0) const {
        constexpr Seconds day(24 * 3600);
        return requests.state(settings.leave_polls ? settings.poll_interval : day, at_work);
    }

    boost::asio::any_io_executor executor;
    Store& store;
    Clock& clock;
    Observer& observer;
    const Settings& settings;
    RequestLedger requests;
    CountedApi counted_api;
    copernica::Client client;
    AdaptiveState adaptive;
    /// Of all that is fetched at a time: the tail, and what is read beside it.
    plan::RecordBudget room;
    AsyncCondition room_changed;
    /// Held by whoever reads the newest period, so that no two windows overlap.
    Semaphore newest_period{1};
    StopRequest stop;
};

}  // namespace mirror::sync
