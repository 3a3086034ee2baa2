#include "core/sync/session.hpp"

#include <exception>
#include <utility>

#include "core/copernica/errors.hpp"
#include "core/util/task_group.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

Session::Session(const asio::any_io_executor& executor, copernica::Api& api,
                 const std::vector<StreamToMirror>& streams, Clock& clock, Observer& observer)
    : shared_(executor, api, streams.front().store, clock, observer, streams.front().settings,
              static_cast<unsigned>(streams.size())) {
    for (const StreamToMirror& stream : streams) {
        runs_.push_back(std::make_unique<StreamRun>(shared_, stream));
    }
}

template <typename Result>
asio::awaitable<std::vector<StreamResult<Result>>> Session::one_by_one(
    std::function<asio::awaitable<Result>(OneShot&)> work) {
    std::vector<StreamResult<Result>> results;
    std::exception_ptr first_failure;
    bool any_succeeded = false;
    for (const auto& run : runs_) {
        StreamResult<Result> result;
        result.stream = &run->context.stream();
        try {
            result.result = co_await work(run->one_shot);
            any_succeeded = true;
        } catch (const copernica::ApiFailed& error) {
            result.failed = error.what();
            // The next stream has a call of its own, which may be answered, so it is asked once,
            // and at once. If that fails, too, give_up_after is over already.
            shared_.access.throttle().end_pauses();
            if (!first_failure) {
                first_failure = std::current_exception();
            }
        }
        results.push_back(std::move(result));
    }
    if (!any_succeeded) {
        std::rethrow_exception(first_failure);
    }
    co_return results;
}

asio::awaitable<std::vector<StreamResult<Outcome>>> Session::sync_all() {
    return one_by_one<Outcome>([](OneShot& one_shot) { return one_shot.sync(); });
}

asio::awaitable<std::vector<StreamResult<Outcome>>> Session::backfill_all(BackfillRequest request) {
    return one_by_one<Outcome>([request](OneShot& one_shot) { return one_shot.backfill(request); });
}

asio::awaitable<std::vector<StreamResult<AuditReport>>> Session::audit_all(AuditRequest request) {
    return one_by_one<AuditReport>(
        [request](OneShot& one_shot) { return one_shot.audit(request); });
}

asio::awaitable<StatisticsReport> Session::audit_statistics(StatisticsRequest request) {
    std::vector<RunContext*> contexts;
    for (const auto& run : runs_) {
        contexts.push_back(&run->context);
    }
    StatisticsAudit audit(std::move(contexts));
    co_return co_await audit.run(request);
}

asio::awaitable<void> Session::run() {
    if (runs_.size() == 1) {
        co_await first().follower.run();
        co_return;
    }
    TaskGroup followers(shared_.executor);
    for (const auto& run : runs_) {
        followers.spawn(run->follower.run());
    }
    co_await followers.join();
}

std::chrono::milliseconds Session::finish_soon() {
    if (!shared_.stop.anything_at_work()) {
        return std::chrono::milliseconds(0);
    }
    constexpr std::chrono::milliseconds grace(2000);
    shared_.stop.request(shared_.clock.monotonic() + grace);
    return grace;
}

}  // namespace mirror::sync
