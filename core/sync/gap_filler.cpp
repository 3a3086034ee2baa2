#include "core/sync/gap_filler.hpp"

#include <chrono>
#include <exception>
#include <optional>
#include <utility>

#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include "core/plan/gap_join.hpp"
#include "core/sync/account_probe.hpp"
#include "core/sync/fetch_pipeline.hpp"
#include "core/sync/newest_row.hpp"
#include "core/time/text.hpp"
#include "core/util/task_group.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

namespace {

// Work of at most this width is a poll, and done at once.
constexpr std::chrono::hours worth_measuring(24);

// What takes less time needs no estimate. Counting costs the API something.
constexpr std::chrono::seconds worth_estimating(2);

asio::awaitable<std::uint64_t> rows_in_file(RunContext& context, const WindowSet& windows) {
    std::uint64_t rows = 0;
    for (const Window& window : windows.windows()) {
        const LocalPeriod span = context.settings.zone.span(window);
        rows += co_await context.store.count(span.begin, span.end - Seconds(1));
    }
    co_return rows;
}

// How many rows are to be read: as many as the API counts, less those that the file had before.
asio::awaitable<void> estimate(RunContext& context, const WindowSet& todo, bool stored_before,
                               LoadMeter& meter) {
    if (meter.progress().expected) {
        co_return;
    }
    const std::uint64_t read = meter.progress().rows;
    const WindowSet hull(Window{todo.windows().front().begin, todo.windows().back().end});
    const std::uint64_t known = co_await rows_in_file(context, stored_before ? todo : hull);
    if (stored_before && known > 0) {
        meter.expect(read + known);
        co_return;
    }
    const bool had_rows = (co_await context.store.newest_rows(after_all_rows)).has_value();
    co_await context.clock.sleep(worth_estimating);
    const Window period = hull.windows().front();
    const std::optional<std::uint64_t> shown =
        co_await count_at_api(context.client, context.settings, period.begin, period.end);
    if (shown && *shown > known) {
        meter.expect(read + *shown - known);
        if (!had_rows) {
            context.observer.first_load({.rows = *shown});
        }
        context.observer.progress(meter.progress());
    }
}

// The load does not depend on it, and meets the same errors.
asio::awaitable<void> try_to_estimate(RunContext& context, WindowSet todo, bool stored_before,
                                      LoadMeter& meter) {
    try {
        co_await estimate(context, todo, stored_before, meter);
    } catch (const boost::system::system_error&) {
        // The load has ended before.
    } catch (const std::exception& error) {
        context.observer.debug(
            fmt::format("the number of rows could not be estimated: {}", error.what()));
    }
}

// Gaps of a file that was shredded, or of records that came back as others: with what lies between
// them, if that is little.
asio::awaitable<WindowSet> joined(RunContext& context, WindowSet gaps) {
    WindowSet little;
    const WindowSet all_between = plan::between_many(gaps);
    for (const Window& between : all_between.windows()) {
        const LocalPeriod span = context.settings.zone.span(between);
        const std::optional<LocalTime> too_many =
            co_await context.store.nth_record(span.begin, span.end, context.settings.page_size);
        if (!too_many) {
            little.add(between);
        }
    }
    gaps.add(little);
    co_return gaps;
}

// Reads of records with repeated IDs that follow each other: the row, then the other record.
constexpr int most_second_reads = 3;

// Returns what is to be read again.
asio::awaitable<WindowSet> fill_once(RunContext& context, FillRequest request, Outcome& outcome) {
    StoringSink sink(context.store);
    const WindowSet todo = co_await joined(context, std::move(request.todo));
    FetchPipeline pipeline(context, sink, todo, request.direction, request.lane);
    LoadMeter own_meter;
    LoadMeter& meter = request.meter == nullptr ? own_meter : *request.meter;
    TaskGroup estimates(context.executor);
    if (todo.width() > worth_measuring) {
        meter.begin(todo, context.clock.monotonic());
        pipeline.measure(meter);
        estimates.spawn(try_to_estimate(context, todo, request.stored_before, meter));
    }
    if (request.first && !request.first->empty()) {
        pipeline.read_first(*request.first);
    }
    if (request.stop_after) {
        pipeline.stop_after(*request.stop_after);
    }
    pipeline.set_purpose(request.purpose);
    std::exception_ptr failed;
    try {
        co_await pipeline.run();
    } catch (...) {
        failed = std::current_exception();
    }
    // The estimate ends, wherever it is. Cancelled in this very moment, join() would not wait.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    estimates.cancel();
    co_await estimates.join();
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    if (todo.width() > worth_measuring) {
        meter.end(context.clock.monotonic());
        context.observer.progress_paused();
    }
    outcome.written += pipeline.written();
    for (const plan::UnreadWindow& unread : pipeline.unread()) {
        outcome.unread.push_back(unread);
        context.observer.warning(fmt::format("{} to {} could not be fetched: {}",
                                             format_utc(unread.window.begin),
                                             format_utc(unread.window.end), unread.reason));
    }
    outcome.held_back |= pipeline.held_back();
    if (failed) {
        std::rethrow_exception(failed);
    }
    co_return std::exchange(outcome.written.read_again, {});
}

}  // namespace

asio::awaitable<void> fill_gaps(RunContext& context, FillRequest request, Outcome& outcome) {
    WindowSet again = co_await fill_once(context, std::move(request), outcome);
    for (int round = 0; round < most_second_reads && !again.empty(); ++round) {
        FillRequest once_more(std::move(again));
        again = co_await fill_once(context, std::move(once_more), outcome);
    }
}

asio::awaitable<void> mark_unread(RunContext& context, WindowSet windows, std::string reason,
                                  Outcome& outcome) {
    if (windows.empty()) {
        co_return;
    }
    co_await context.store.uncover(windows);
    for (const Window& window : windows.windows()) {
        outcome.unread.push_back({window, reason});
    }
}

}  // namespace mirror::sync
