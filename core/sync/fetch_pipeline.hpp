// Makes a set of windows whole: workers fetch, one writer stores.
#pragma once

#include <cstddef>
#include <exception>
#include <optional>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "core/plan/request_budget.hpp"
#include "core/plan/window_load.hpp"
#include "core/plan/window_scheduler.hpp"
#include "core/sync/expiry_check.hpp"
#include "core/sync/load_meter.hpp"
#include "core/sync/run_context.hpp"
#include "core/sync/window_fetcher.hpp"
#include "core/sync/window_sink.hpp"
#include "core/sync/write_queue.hpp"
#include "core/util/async_condition.hpp"

namespace mirror::sync {

/// Fetches one set of windows on several connections. Make one for each set.
class FetchPipeline {
  public:
    FetchPipeline(RunContext& context, WindowSink& sink, WindowSet todo,
                  plan::Direction direction = plan::Direction::newest_first,
                  copernica::Lane lane = copernica::Lane::backlog);

    /// A window to be read before everything else, such as the tail: in one piece, unless it holds
    /// far more records than a window should. Before run().
    void read_first(const Window& window) {
        scheduler_.put_first(window);
        first_untaken_ = true;
    }

    /// Tells the observer after each page how far the load is. Before run(); the meter must
    /// outlive the pipeline.
    void measure(LoadMeter& meter) { meter_ = &meter; }

    /// No window is begun after this moment; what is left stays to be done. Before run().
    void stop_after(Monotonic moment) { stop_after_ = moment; }

    /// What its requests are for: with a budget, no window is begun that it does not allow. Before
    /// run().
    void set_purpose(plan::Purpose purpose) { purpose_ = purpose; }
    /// Whether the budget has left something undone.
    bool held_back() const { return held_back_; }

    /// Fetches and hands over. On return the sink has taken everything fetched. Throws what ends a
    /// run; operation_aborted when cancelled, after the sink has taken what was fetched.
    boost::asio::awaitable<void> run();

    const Written& written() const { return written_; }
    const std::vector<plan::UnreadWindow>& unread() const { return scheduler_.unread(); }

  private:
    class ActiveWindow;

    boost::asio::awaitable<void> work();
    boost::asio::awaitable<void> write();
    boost::asio::awaitable<void> close_writer();
    bool budget_allows();
    void hand_over(WholeWindow whole);
    std::optional<Instant> last_in_work() const;
    void warn_of_replaced(const Written& written);
    void warn(const Written& written, const Window& period);

    RunContext& context_;
    WindowSink& sink_;
    plan::Direction direction_;
    plan::WindowScheduler scheduler_;
    WindowFetcher fetcher_;
    ExpiryCheck expiry_;
    std::optional<Monotonic> stop_after_;
    plan::Purpose purpose_ = plan::Purpose::past;
    bool first_untaken_ = false;  // what read_first() named
    bool held_back_ = false;
    plan::WindowLoad load_;

    WriteQueue queue_;
    AsyncCondition queue_changed_;
    bool no_more_windows_ = false;
    bool writer_running_ = false;
    std::exception_ptr writer_error_;

    Written written_;
    bool warned_of_doubt_ = false;
    std::size_t repeated_ids_told_ = 0;
    std::size_t replaced_told_ = 0;
    LoadMeter* meter_ = nullptr;
};

}  // namespace mirror::sync
