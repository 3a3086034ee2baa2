#include "core/sync/fetch_pipeline.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "core/copernica/errors.hpp"
#include "core/sync/account_probe.hpp"
#include "core/time/text.hpp"
#include "core/util/task_group.hpp"

namespace mirror::sync {

namespace asio = boost::asio;
using copernica::ApiError;
using copernica::ErrorKind;

namespace {

// A window whose count exceeds this share of the wanted records is cut before it is read on.
constexpr double most_share = 2.5;

// Work that is no wider is a poll, and done at once.
constexpr std::chrono::hours worth_reporting(24);

}  // namespace

// Counts a piece as in work for as long as it lives.
class FetchPipeline::ActiveWindow {
  public:
    ActiveWindow(FetchPipeline& owner, Instant begin)
        : owner_(owner),
          awaited_(owner.awaited_.insert(begin)),
          expected_(owner.adaptive_.planner.rows_wanted()) {
        ++owner_.in_work_;
        ++owner_.uncounted_;
        owner_.expected_records_ += expected_;
    }
    ActiveWindow(const ActiveWindow&) = delete;
    ActiveWindow& operator=(const ActiveWindow&) = delete;
    ~ActiveWindow() {
        keep_nobody_waiting();
        --owner_.in_work_;
        owner_.uncounted_ -= counted_ ? 0 : 1;
        owner_.expected_records_ -= expected_;
        owner_.work_changed_.notify_all();
    }

    /// The first reply has said how many records it has. What waits for room, or for what is to be
    /// expected, goes on.
    void expect(std::uint64_t records) {
        owner_.uncounted_ -= counted_ ? 0 : 1;
        counted_ = true;
        owner_.expected_records_ += records;
        owner_.expected_records_ -= expected_;
        expected_ = records;
        owner_.work_changed_.notify_all();
    }

    bool counted() const { return counted_; }

    /// It may take long: what is newer is written without it.
    void keep_nobody_waiting() {
        if (awaited_) {
            owner_.awaited_.erase(*awaited_);
            awaited_.reset();
            owner_.queue_changed_.notify_all();
        }
    }

  private:
    FetchPipeline& owner_;
    std::optional<std::multiset<Instant>::iterator> awaited_;
    std::uint64_t expected_;
    bool counted_ = false;
};

FetchPipeline::FetchPipeline(const asio::any_io_executor& executor, copernica::Client& client,
                             Store& store, Observer& observer, const Settings& settings,
                             AdaptiveState& adaptive, WindowSet todo, plan::Direction direction)
    : executor_(executor),
      client_(client),
      store_(store),
      observer_(observer),
      settings_(settings),
      adaptive_(adaptive),
      direction_(direction),
      scheduler_(settings_.zone, todo, adaptive.planner, direction, settings.connections),
      work_changed_(executor),
      queue_changed_(executor) {
    adaptive_.planner.expect_period(todo.width());
    progress_.width = todo.width();
    if (!todo.empty()) {
        progress_.period = {todo.windows().front().begin, todo.windows().back().end};
    }
}

asio::awaitable<void> FetchPipeline::run() {
    TaskGroup workers(executor_);
    writer_running_ = true;
    // The writer is never cancelled: what was fetched whole is stored, then it is told to end.
    asio::co_spawn(executor_, write(), [this, &workers](const std::exception_ptr& error) {
        writer_running_ = false;
        writer_error_ = error;
        if (error) {
            workers.cancel();
        }
        queue_changed_.notify_all();
    });
    for (unsigned i = 0; i < settings_.connections; ++i) {
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

// Whether one more window may be begun. Each in work counts as large as its first reply says, and
// before that as large as wanted; what waits to be stored, or is being stored, counts as it is. So
// memory does not grow where the disk is slower than the network.
bool FetchPipeline::room_for_one_more() const {
    const std::uint64_t wanted = adaptive_.planner.rows_wanted();
    const std::uint64_t most = AdaptiveState::windows_a_connection * settings_.connections * wanted;
    return in_work_ + queued_records_ == 0 || expected_records_ + wanted + queued_records_ <= most;
}

asio::awaitable<void> FetchPipeline::work() {
    for (;;) {
        if (stop_after_ && client_.monotonic() >= *stop_after_) {
            co_return;
        }
        if (!room_for_one_more()) {
            co_await work_changed_.wait();
            continue;
        }
        std::optional<plan::WindowTask> piece = scheduler_.take(uncounted_ > 0);
        if (piece) {
            ActiveWindow in_work(*this, piece->window.begin);
            co_await read(*piece, in_work);
        } else if (in_work_ > 0) {
            // What is in work elsewhere may come back in halves, or tell the width of the next.
            co_await work_changed_.wait();
        } else {
            co_return;
        }
    }
}

asio::awaitable<void> FetchPipeline::read(plan::WindowTask piece, ActiveWindow& in_work) {
    plan::WindowReader::Request request;
    request.window = piece.window;
    request.page_size = settings_.page_size;
    request.read_on = piece.read_on;
    if (scheduler_.divisible(piece.window)) {
        request.most_records = static_cast<std::uint64_t>(
            most_share * static_cast<double>(adaptive_.planner.rows_wanted()));
    }
    std::optional<plan::WindowReader> reader;
    reader.emplace(settings_.zone, request, adaptive_.bounds);
    Instant valid_until{};
    int empty_replies = 0;
    for (;;) {
        const copernica::PageQuery query = reader->query();
        copernica::FetchedPage fetched;
        std::optional<ApiError> failed;
        try {
            fetched = co_await client_.page(query, reader->slack());
        } catch (const ApiError& error) {
            failed = error;
        }
        if (failed) {
            in_work.keep_nobody_waiting();
            const bool again = co_await try_again(piece, *failed);
            if (!again) {
                co_return;
            }
            continue;
        }
        piece.failures = 0;
        if (query.total) {
            valid_until = fetched.valid_until;
        }
        note_bounds(query, fetched.page);
        switch (reader->accept(std::move(fetched.page))) {
            case plan::WindowReader::Verdict::read_on:
                if (query.total) {
                    scheduler_.counted(piece, *reader->total());
                    in_work.expect(*reader->total());
                }
                continue;
            case plan::WindowReader::Verdict::too_many:
                scheduler_.cut(piece, *reader->total());
                co_return;
            case plan::WindowReader::Verdict::not_whole:
                observer_.debug(fmt::format("{} to {} did not add up to its total of {}",
                                            format_utc(piece.window.begin),
                                            format_utc(piece.window.end), *reader->total()));
                scheduler_.not_whole(
                    piece, fmt::format("the records received never added up to the total that the "
                                       "API gave ({})",
                                       *reader->total()));
                co_return;
            case plan::WindowReader::Verdict::whole:
                break;
        }
        if (*reader->total() > 0) {
            adaptive_.emptiness.rows_seen(piece.window);
            break;
        }
        ++empty_replies;
        const bool believed = co_await believe_empty(piece, empty_replies);
        if (believed) {
            adaptive_.emptiness.believed(piece.window);
            break;
        }
        reader.emplace(settings_.zone, request, adaptive_.bounds);
    }
    if (!in_work.counted()) {
        scheduler_.counted(piece, *reader->total());
    }
    scheduler_.done(piece);
    WholeWindow whole = whole_window(piece, valid_until, reader->take_records());
    // A little less than hoped for is left to the next poll; more is asked again.
    const Window rest{std::max(whole.proven.end, piece.window.begin),
                      std::min(piece.window.end, client_.settled())};
    if (rest.width() > copernica::ServerClock::tolerance) {
        plan::WindowTask late = piece;
        late.window = rest;
        late.sampled = {};
        scheduler_.not_proven(late,
                              "the replies carried a Date too early to speak for this period");
    }
    hand_over(std::move(whole));
}

WholeWindow FetchPipeline::whole_window(const plan::WindowTask& piece, Instant valid_until,
                                        Records records) {
    WholeWindow whole;
    whole.window = piece.window;
    const Instant proven_end =
        std::min(piece.window.end, settings_.zone.align_down(valid_until - settings_.settle));
    whole.proven = {piece.window.begin, std::max(piece.window.begin, proven_end)};
    for (const Seconds age : settings_.audit_ages) {
        const Window covered = plan::covered_at_age(whole.proven, valid_until, age);
        if (!covered.empty()) {
            whole.aged.push_back({age, covered});
        }
    }
    whole.records = std::move(records);
    whole.read_at = valid_until;
    return whole;
}

void FetchPipeline::note_bounds(const copernica::PageQuery& query, const copernica::Page& page) {
    for (const Impression& row : page.rows) {
        adaptive_.bounds.begin_inclusive |= row.time == query.begintime;
        adaptive_.bounds.end_inclusive |= row.time == query.endtime;
    }
}

// Decides about a failed request: true where the same request is to be made again.
asio::awaitable<bool> FetchPipeline::try_again(plan::WindowTask& piece, const ApiError& error) {
    client_.throw_if_fatal(error);
    const bool divisible = scheduler_.divisible(piece.window);
    if (error.kind() == ErrorKind::request_refused) {
        const bool at_fault = co_await client_.api_answers_others();
        if (!at_fault) {
            co_return true;
        }
        observer_.debug(error.what());
        scheduler_.at_fault(piece, error.what());
        co_return false;
    }
    observer_.debug(error.what());
    ++piece.failures;
    if (piece.failures < plan::WindowScheduler::most_failures) {
        co_return true;
    }
    // The window's fault, or everything's? An answer also ends the pauses, and the waiting for
    // give_up_after: it would be wrong to give up on all because of one.
    const bool others_succeed = co_await client_.api_answers_others();
    const bool last_chance = !divisible && piece.sampled.empty();
    if (!others_succeed || (last_chance && piece.failures < plan::WindowScheduler::most_attempts)) {
        co_return true;
    }
    scheduler_.at_fault(piece, error.what());
    co_return false;
}

asio::awaitable<bool> FetchPipeline::believe_empty(plan::WindowTask& piece, int replies) {
    const LocalPeriod span = settings_.zone.span(piece.window);
    const std::uint64_t known = co_await store_.count(span.begin, span.end - Seconds(1));
    const int needed = piece.doubted ? replies_for_nothing
                                     : adaptive_.emptiness.replies_needed(piece.window, known > 0);
    if (replies >= needed) {
        co_return true;
    }
    if (known > 0 && replies == 1) {
        const auto newest = co_await store_.newest_rows(settings_.zone.to_local(client_.settled()));
        std::optional<LocalTime> row;
        if (newest) {
            row = newest->time;
        }
        const std::optional<bool> shows = co_await shows_anything(client_, settings_, row);
        piece.doubted = !shows;
        if (shows == false) {
            throw copernica::ApiFailed(fmt::format(
                "the API shows no impressions at all, while the file has {} of {} to {}; nothing "
                "was changed",
                known, format_local(span.begin), format_local(span.end)));
        }
    }
    co_return false;
}

void FetchPipeline::hand_over(WholeWindow whole) {
    queued_records_ += whole.records.size();
    auto place = queue_.end();
    if (direction_ == plan::Direction::oldest_first) {
        place = std::upper_bound(
            queue_.begin(), queue_.end(), whole.window.begin,
            [](Instant begin, const WholeWindow& queued) { return begin < queued.window.begin; });
    }
    queue_.insert(place, std::move(whole));
    queue_changed_.notify_all();
}

// What is to be written now. Oldest first means that nothing is written before what is older and
// soon there: SQLite appends at half the cost of putting rows between others. While nobody reads
// who is worth waiting for, nothing is soon there: what waits may be what takes the room.
std::vector<WholeWindow> FetchPipeline::take_writable() {
    auto end = queue_.end();
    if (direction_ == plan::Direction::oldest_first && !awaited_.empty()) {
        const Instant oldest =
            std::min(scheduler_.untaken_from().value_or(Instant::max()), *awaited_.begin());
        end = std::find_if(queue_.begin(), queue_.end(), [oldest](const WholeWindow& queued) {
            return queued.window.begin > oldest;
        });
    }
    std::vector<WholeWindow> windows(std::make_move_iterator(queue_.begin()),
                                     std::make_move_iterator(end));
    queue_.erase(queue_.begin(), end);
    return windows;
}

asio::awaitable<void> FetchPipeline::write() {
    for (;;) {
        std::vector<WholeWindow> batch = take_writable();
        if (batch.empty()) {
            if (no_more_windows_) {
                co_return;
            }
            co_await queue_changed_.wait();
            continue;
        }
        WindowSet windows;
        std::size_t records = 0;
        for (const WholeWindow& whole : batch) {
            windows.add(whole.window);
            records += whole.records.size();
        }
        const Window last = batch.back().window;
        const Written written = co_await store_.commit(std::move(batch), client_.server_now());
        // What is being written takes memory, too, and counts until it is stored.
        queued_records_ -= records;
        queue_changed_.notify_all();
        work_changed_.notify_all();
        written_ += written;
        observer_.stored(written);
        progress_.done += windows.width();
        report(last);
    }
}

void FetchPipeline::report(const Window& window) {
    if (progress_.width <= worth_reporting) {
        return;
    }
    progress_.window = window;
    progress_.rows = written_.inserted + written_.updated + written_.unchanged;
    progress_.requests = client_.requests();
    observer_.progress(progress_);
}

}  // namespace mirror::sync
