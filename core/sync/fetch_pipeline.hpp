// Making a set of windows whole: workers fetch, one writer stores.
#pragma once

#include <deque>
#include <exception>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "core/copernica/client.hpp"
#include "core/plan/emptiness.hpp"
#include "core/plan/width.hpp"
#include "core/plan/window_reader.hpp"
#include "core/plan/window_scheduler.hpp"
#include "core/sync/observer.hpp"
#include "core/sync/settings.hpp"
#include "core/sync/store.hpp"
#include "core/util/async_condition.hpp"

namespace mirror::sync {

/// What is learned while windows are read, and outlives one set of them.
struct AdaptiveState {
    explicit AdaptiveState(std::uint32_t page_size) : planner(pages_a_window * page_size) {}

    /// Enough pages to fill them well, few enough to lose little at a kill.
    static constexpr std::uint64_t pages_a_window = 16;

    /// Windows that memory has room for, for each connection: the one that is being read, and
    /// others that are whole and wait for older ones, so that no connection has to.
    static constexpr unsigned windows_a_connection = 3;

    plan::WidthPlanner planner;
    plan::BoundsSeen bounds;
    plan::EmptinessLedger emptiness;
};

/// Completes one set of windows. Make one for each set.
class FetchPipeline {
  public:
    FetchPipeline(const boost::asio::any_io_executor& executor, copernica::Client& client,
                  Store& store, Observer& observer, const Settings& settings,
                  AdaptiveState& adaptive, WindowSet todo,
                  plan::Direction direction = plan::Direction::newest_first);

    /// A window to be read first and as one piece, such as the tail. Before run().
    void read_first(const Window& window) { scheduler_.put_first(window); }

    /// No window is begun after this moment; what is left stays to be done. Before run().
    void stop_after(Monotonic moment) { stop_after_ = moment; }

    /// Fetches and stores. On return everything fetched is stored. Throws what ends a run;
    /// operation_aborted when cancelled, after what was fetched has been stored.
    boost::asio::awaitable<void> run();

    const Written& written() const { return written_; }
    const std::vector<plan::UnreadWindow>& unread() const { return scheduler_.unread(); }

  private:
    class ActiveWindow;

    bool room_for_one_more() const;
    boost::asio::awaitable<void> work();
    boost::asio::awaitable<void> read(plan::WindowTask piece, ActiveWindow& in_work);
    boost::asio::awaitable<bool> try_again(plan::WindowTask& piece,
                                           const copernica::ApiError& error);
    boost::asio::awaitable<bool> believe_empty(plan::WindowTask& piece, int replies);
    void hand_over(WholeWindow whole);
    std::vector<WholeWindow> take_writable();
    boost::asio::awaitable<void> write();
    boost::asio::awaitable<void> close_writer();
    WholeWindow whole_window(const plan::WindowTask& piece, Instant valid_until, Records records);
    void note_bounds(const copernica::PageQuery& query, const copernica::Page& page);
    void report(const Window& window);

    boost::asio::any_io_executor executor_;
    copernica::Client& client_;
    Store& store_;
    Observer& observer_;
    const Settings& settings_;
    AdaptiveState& adaptive_;

    plan::Direction direction_;
    plan::WindowScheduler scheduler_;
    std::optional<Monotonic> stop_after_;
    unsigned in_work_ = 0;
    unsigned uncounted_ = 0;              // of these: no reply has said how many records there are
    std::uint64_t expected_records_ = 0;  // of the windows in work
    /// Begins of the windows in work that others wait for to be written.
    std::multiset<Instant> awaited_;
    AsyncCondition work_changed_;

    std::deque<WholeWindow> queue_;  // in the order of writing
    std::size_t queued_records_ = 0;
    AsyncCondition queue_changed_;
    bool no_more_windows_ = false;
    bool writer_running_ = false;
    std::exception_ptr writer_error_;

    Written written_;
    Progress progress_;
};

}  // namespace mirror::sync
