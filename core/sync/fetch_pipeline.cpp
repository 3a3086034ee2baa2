#include "core/sync/fetch_pipeline.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include "core/time/text.hpp"
#include "core/util/task_group.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

namespace {

// How many IDs one pipeline reports. The records of repeated ones are all in the table rejects.
constexpr std::size_t most_repeated_ids_told = 10;
constexpr std::size_t most_replaced_told = 10;

}  // namespace

// Counts a window as being read for as long as it lives, and wakes whoever waits for a change of
// that.
class FetchPipeline::ActiveWindow final : public WindowEvents {
  public:
    ActiveWindow(FetchPipeline& owner, Instant begin)
        : owner_(owner),
          begin_(begin),
          entry_(owner.load_.begin(begin, owner.context_.adaptive.planner.rows_wanted())) {}
    ActiveWindow(const ActiveWindow&) = delete;
    ActiveWindow& operator=(const ActiveWindow&) = delete;
    ~ActiveWindow() override {
        delayed();
        if (owner_.meter_ != nullptr) {
            owner_.meter_->dropped(received_);
        }
        owner_.load_.end(entry_);
        owner_.context_.room_changed.notify_all();
    }

    void counted(std::uint64_t records) override {
        owner_.load_.counted(entry_, records);
        owner_.context_.room_changed.notify_all();
    }

    void received(std::uint64_t records) override {
        if (owner_.meter_ == nullptr) {
            return;
        }
        if (records < received_) {
            // It is read from its begin again.
            owner_.meter_->dropped(std::exchange(received_, 0));
        }
        owner_.meter_->reading(owner_.last_in_work().value_or(begin_));
        owner_.meter_->received(records - received_, owner_.context_.clock.monotonic());
        received_ = records;
        owner_.context_.observer.progress(owner_.meter_->progress());
    }

    /// What was received of it stays.
    void whole() { received_ = 0; }

    void delayed() override {
        if (owner_.load_.stop_waiting_for(entry_)) {
            owner_.queue_changed_.notify_all();
            owner_.context_.room_changed.notify_all();
        }
    }

  private:
    FetchPipeline& owner_;
    Instant begin_;
    plan::WindowLoad::Entry entry_;
    std::uint64_t received_ = 0;  // records that the meter knows of, and that may be read again
};

FetchPipeline::FetchPipeline(RunContext& context, WindowSink& sink, WindowSet todo,
                             plan::Direction direction, copernica::Lane lane)
    : context_(context),
      sink_(sink),
      direction_(direction),
      scheduler_(context.settings.zone, todo, context.adaptive.planner, direction,
                 context.settings.connections),
      fetcher_(context, scheduler_, lane),
      expiry_(context, todo),
      load_(context.room),
      queue_(direction),
      queue_changed_(context.executor) {
    context.adaptive.planner.expect_period(todo.width());
}

asio::awaitable<void> FetchPipeline::run() {
    const StopRequest::Work at_work(context_.stop);
    TaskGroup workers(context_.executor);
    writer_running_ = true;
    // The writer is never cancelled: what was fetched whole is stored, then it is told to end.
    asio::co_spawn(context_.executor, write(), [this, &workers](const std::exception_ptr& error) {
        writer_running_ = false;
        writer_error_ = error;
        if (error) {
            workers.cancel();
        }
        queue_changed_.notify_all();
    });
    for (unsigned i = 0; i < context_.settings.connections; ++i) {
        workers.spawn(work());
    }
    std::exception_ptr failed;
    try {
        co_await workers.join();
    } catch (...) {
        failed = std::current_exception();
    }
    // Cancelled in this very moment, the call itself would throw, and leave the writer behind.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await close_writer();
    if (writer_error_) {
        std::rethrow_exception(writer_error_);
    }
    if (failed) {
        std::rethrow_exception(failed);
    }
    if (context_.stop.requested()) {
        throw boost::system::system_error(asio::error::operation_aborted);
    }
}

// To be called where cancellation is disabled: the transaction at hand ends first. A cancellation
// that comes meanwhile is lost here; whoever cancels repeats it until the run has ended.
asio::awaitable<void> FetchPipeline::close_writer() {
    no_more_windows_ = true;
    queue_changed_.notify_all();
    while (writer_running_) {
        co_await queue_changed_.wait();
    }
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
}

asio::awaitable<void> FetchPipeline::work() {
    co_await expiry_.begin();
    for (;;) {
        const bool too_late = stop_after_ && context_.client.monotonic() >= *stop_after_;
        if (too_late || context_.stop.requested()) {
            co_return;
        }
        if (!load_.has_room_for(context_.adaptive.planner.rows_wanted())) {
            co_await context_.room_changed.wait();
            continue;
        }
        if (!scheduler_.empty() && !budget_allows()) {
            held_back_ = true;
            co_return;
        }
        std::optional<plan::WindowTask> task = scheduler_.take({load_.active(), load_.uncounted()});
        if (task) {
            ActiveWindow active(*this, task->window.begin);
            std::optional<WholeWindow> whole = co_await fetcher_.fetch(*task, active);
            if (whole) {
                co_await expiry_.judge(*whole);
                active.whole();
                hand_over(std::move(*whole));
            }
        } else if (load_.active() > 0) {
            // What is read elsewhere may come back in halves, or tell the width of the next.
            co_await context_.room_changed.wait();
        } else {
            co_return;
        }
    }
}

// What was to be read first is the tail.
bool FetchPipeline::budget_allows() {
    constexpr std::uint64_t requests_a_window = AdaptiveState::pages_a_window * 2;
    const plan::BudgetState budget = context_.budget(load_.active() * requests_a_window);
    const bool tail = std::exchange(first_untaken_, false);
    return plan::may_begin(tail ? plan::Purpose::tail : purpose_, budget);
}

void FetchPipeline::hand_over(WholeWindow whole) {
    load_.queued(whole.records.size());
    queue_.push(std::move(whole));
    queue_changed_.notify_all();
}

// The others are ahead of it.
std::optional<Instant> FetchPipeline::last_in_work() const {
    return direction_ == plan::Direction::oldest_first ? load_.oldest_awaited()
                                                       : load_.newest_awaited();
}

asio::awaitable<void> FetchPipeline::write() {
    for (;;) {
        std::vector<WholeWindow> batch =
            queue_.take(load_.oldest_awaited(), scheduler_.untaken_from());
        if (batch.empty()) {
            if (no_more_windows_) {
                co_return;
            }
            co_await queue_changed_.wait();
            continue;
        }
        std::size_t records = 0;
        Window period = batch.front().window;
        for (const WholeWindow& whole : batch) {
            period.begin = std::min(period.begin, whole.window.begin);
            period.end = std::max(period.end, whole.window.end);
            records += whole.records.size();
        }
        const Written written = co_await sink_.take(std::move(batch), context_.client.server_now());
        // What is being written takes memory, too, and counts until it is stored.
        load_.stored(records);
        queue_changed_.notify_all();
        context_.room_changed.notify_all();
        written_ += written;
        context_.observer.stored(written);
        warn_of_replaced(written);
        warn(written, period);
    }
}

void FetchPipeline::warn_of_replaced(const Written& written) {
    const auto mailing = [](const std::optional<std::int64_t>& number) {
        return number ? std::to_string(*number) : std::string("none");
    };
    for (const ReplacedRow& row : written.replaced) {
        if (replaced_told_++ >= most_replaced_told) {
            return;
        }
        context_.observer.warning(
            fmt::format("ID {} is another {} now: {}, mailing {}; it was {}, mailing {}", row.id,
                        context_.stream().one, format_local(row.time), mailing(row.mailing),
                        row.time_before, mailing(row.mailing_before)));
    }
}

// What a person should know of at once.
void FetchPipeline::warn(const Written& written, const Window& period) {
    for (const std::int64_t id : written.repeated_ids) {
        if (repeated_ids_told_++ < most_repeated_ids_told) {
            context_.observer.warning(
                fmt::format("two records have the ID {}; the second one is kept in rejects", id));
        }
    }
    if (written.doubted > 0 && !std::exchange(warned_of_doubt_, true)) {
        context_.observer.warning(fmt::format(
            "the API shows {} rows of {} to {} no longer; so many at once may be a mistake: they "
            "are not marked as removed before a read an hour later agrees",
            written.doubted, format_utc(period.begin), format_utc(period.end)));
    }
}

}  // namespace mirror::sync
