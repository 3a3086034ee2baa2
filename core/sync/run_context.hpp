// What the parts of a run share.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include "core/copernica/client.hpp"
#include "core/sync/adaptive_state.hpp"
#include "core/sync/observer.hpp"
#include "core/sync/settings.hpp"
#include "core/sync/store.hpp"
#include "core/time/clock.hpp"
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
          client(run_executor, api, run_clock, run_observer, run_settings),
          adaptive(run_settings.page_size) {}
    RunContext(const RunContext&) = delete;
    RunContext& operator=(const RunContext&) = delete;

    /// From the configured start to the server's settled now.
    Window everything() const {
        return {settings.zone.align_down(settings.zone.earliest(settings.start)), client.settled()};
    }

    boost::asio::any_io_executor executor;
    Store& store;
    Clock& clock;
    Observer& observer;
    const Settings& settings;
    copernica::Client client;
    AdaptiveState adaptive;
    /// Held by whoever reads the newest period, so that no two windows overlap.
    Semaphore newest_period{1};
};

}  // namespace mirror::sync
