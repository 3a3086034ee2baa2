// What the parts of a run of one stream share.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include <boost/asio/any_io_executor.hpp>

#include "core/copernica/client.hpp"
#include "core/plan/retention.hpp"
#include "core/sync/adaptive_state.hpp"
#include "core/sync/settings.hpp"
#include "core/sync/shared_context.hpp"
#include "core/sync/store.hpp"
#include "core/sync/stream_observer.hpp"
#include "core/time/clock.hpp"
#include "core/util/semaphore.hpp"

namespace mirror::sync {

struct RunContext {
    RunContext(SharedContext& session, Store& run_store, const Settings& run_settings)
        : shared(session),
          executor(session.executor),
          store(run_store),
          clock(session.clock),
          observer(session.observer, run_store.stream(), session.access.several_streams()),
          settings(run_settings),
          requests(session.requests),
          client(session.access, observer, run_store.stream()),
          adaptive(run_settings.page_size),
          room(session.room),
          room_changed(session.room_changed),
          stop(session.stop) {}
    RunContext(const RunContext&) = delete;
    RunContext& operator=(const RunContext&) = delete;

    /// From the configured start, or from what is kept and was not erased, to the server's settled
    /// now.
    Window everything() const {
        Window all{settings.zone.align_down(settings.zone.earliest(settings.start)),
                   client.settled()};
        if (settings.keep) {
            all.begin =
                std::max(all.begin, plan::kept_from(settings.zone, all.end, *settings.keep));
        }
        if (erased_before) {
            // What was erased up to now leaves the last minute.
            const Instant last = settings.zone.align_down(all.end - std::chrono::minutes(1));
            all.begin = std::max(all.begin, std::min(*erased_before, last));
        }
        return all;
    }

    /// Where the day's budget stands, while windows at work may still make so many requests.
    plan::BudgetState budget(std::uint64_t at_work = 0) const {
        constexpr Seconds day(24 * 3600);
        return requests.state(settings.leave_polls ? settings.poll_interval : day, at_work);
    }

    const Stream& stream() const { return store.stream(); }

    SharedContext& shared;
    boost::asio::any_io_executor executor;
    Store& store;
    Clock& clock;
    StreamObserver observer;
    const Settings& settings;
    RequestLedger& requests;
    copernica::Client client;
    AdaptiveState adaptive;
    plan::RecordBudget& room;
    AsyncCondition& room_changed;
    /// Held by whoever reads the newest period, so that no two windows overlap.
    Semaphore newest_period{1};
    StopRequest& stop;
    /// As last learnt (see learn_erased_before()): what is older is not to be fetched.
    std::optional<Instant> erased_before;
};

}  // namespace mirror::sync
