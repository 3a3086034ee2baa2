#include "storage/sqlite_store.hpp"

#include <exception>
#include <type_traits>
#include <utility>
#include <variant>

#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "storage/sqlite/page_writes.hpp"

namespace mirror::storage {
namespace {

namespace asio = boost::asio;

template <typename Result>
struct Signature {
    using type = void(std::exception_ptr, Result);
};

template <>
struct Signature<void> {
    using type = void(std::exception_ptr);
};

// A call with the handler of the coroutine that waits for it.
template <typename Result, typename Work, typename Handler>
class WaitingCall final : public CallExecutor::Call {
  public:
    WaitingCall(Work work, Handler handler, std::atomic<std::uint64_t>& done)
        : work_(std::move(work)),
          handler_(std::move(handler)),
          guard_(asio::make_work_guard(handler_)),
          done_(done) {}

    void carry_out() noexcept override {
        try {
            if constexpr (std::is_void_v<Result>) {
                work_();
            } else {
                result_ = work_();
            }
        } catch (...) {
            error_ = std::current_exception();
        }
        ++done_;
    }

    void answer() override {
        const auto executor = guard_.get_executor();
        if constexpr (std::is_void_v<Result>) {
            asio::post(executor,
                       [handler = std::move(handler_), error = std::move(error_),
                        guard = std::move(guard_)]() mutable { std::move(handler)(error); });
        } else {
            asio::post(executor,
                       [handler = std::move(handler_), error = std::move(error_),
                        result = std::move(result_), guard = std::move(guard_)]() mutable {
                           std::move(handler)(error, std::move(result));
                       });
        }
    }

  private:
    using Kept = std::conditional_t<std::is_void_v<Result>, std::monostate, Result>;

    Work work_;
    Handler handler_;
    // The caller's loop has something to wait for until the answer is on it.
    decltype(asio::make_work_guard(std::declval<Handler&>())) guard_;
    std::atomic<std::uint64_t>& done_;
    std::exception_ptr error_;
    Kept result_{};
};

}  // namespace

// No coroutine itself: the lambdas here are none of those that g++ 12 miscompiles.
template <typename Work>
auto SqliteStore::carried_out(Work work) -> asio::awaitable<std::invoke_result_t<Work&>> {
    using Result = std::invoke_result_t<Work&>;
    auto start = [this](auto handler, Work job) {
        ++asked_;
        executor_->submit(std::make_shared<WaitingCall<Result, Work, decltype(handler)>>(
            std::move(job), std::move(handler), done_));
    };
    return asio::async_initiate<const asio::use_awaitable_t<>, typename Signature<Result>::type>(
        std::move(start), asio::use_awaitable, std::move(work));
}

SqliteStore::SqliteStore(MirrorOptions options, Clock& clock, std::function<void()> opening)
    : SqliteStore(std::move(options), clock, std::make_unique<ThreadExecutor>(),
                  std::move(opening)) {}

SqliteStore::SqliteStore(MirrorOptions options, Clock& clock,
                         std::unique_ptr<CallExecutor> executor, std::function<void()> opening)
    : clock_(clock),
      opening_(std::move(opening)),
      file_(watched(std::move(options)), clock.utc()),
      executor_(std::move(executor)) {
    opening_ = nullptr;
}

MirrorOptions SqliteStore::watched(MirrorOptions options) {
    options.progressing = [this] {
        ++steps_;
        if (opening_) {
            opening_();
        }
    };
    return options;
}

Activity SqliteStore::activity() const {
    Activity now;
    now.done = done_;  // first, so that it is never ahead of what was asked
    now.asked = asked_;
    now.steps = steps_ + page_writes();
    return now;
}

asio::awaitable<WindowSet> SqliteStore::coverage(std::int64_t age) {
    auto work = [this, age] { return file_.reader().coverage(age); };
    return carried_out(std::move(work));
}

asio::awaitable<sync::Written> SqliteStore::commit(std::vector<sync::WholeWindow> windows,
                                                   Instant server_now) {
    const Moment now{clock_.utc(), clock_.monotonic()};
    auto work = [this, windows = std::move(windows), server_now, now] {
        return file_.writer().commit(windows, server_now, now);
    };
    return carried_out(std::move(work));
}

asio::awaitable<void> SqliteStore::uncover(WindowSet windows) {
    auto work = [this, windows = std::move(windows)] { file_.writer().uncover(windows); };
    return carried_out(std::move(work));
}

asio::awaitable<std::vector<sync::RowDifference>> SqliteStore::compare(
    const std::vector<sync::WholeWindow>& windows) {
    auto work = [this, &windows] { return file_.reader().compare(windows); };
    return carried_out(std::move(work));
}

asio::awaitable<std::optional<LocalTime>> SqliteStore::row_free_second(LocalTime begin,
                                                                       LocalTime end,
                                                                       sync::RowFreeNear near) {
    auto work = [this, begin, end, near] {
        return file_.reader().row_free_second(begin, end, near);
    };
    return carried_out(std::move(work));
}

asio::awaitable<WindowSet> SqliteStore::doubts(Instant latest) {
    auto work = [this, latest] { return file_.reader().doubts(latest); };
    return carried_out(std::move(work));
}

asio::awaitable<std::uint64_t> SqliteStore::count_removed(LocalTime begin, LocalTime end) {
    auto work = [this, begin, end] { return file_.reader().count_removed(begin, end); };
    return carried_out(std::move(work));
}

asio::awaitable<std::optional<LocalTime>> SqliteStore::middle_row(LocalTime begin, LocalTime end) {
    auto work = [this, begin, end] { return file_.reader().middle_row(begin, end); };
    return carried_out(std::move(work));
}

asio::awaitable<std::optional<LocalTime>> SqliteStore::nth_record(LocalTime begin, LocalTime end,
                                                                  std::uint64_t n) {
    auto work = [this, begin, end, n] { return file_.reader().nth_record(begin, end, n); };
    return carried_out(std::move(work));
}

asio::awaitable<WindowSet> SqliteStore::covered_by_other_rules() {
    auto work = [this] { return file_.reader().covered_by_other_rules(); };
    return carried_out(std::move(work));
}

asio::awaitable<std::uint64_t> SqliteStore::settle_expired(LocalTime begin, Instant removed_since) {
    auto work = [this, begin, removed_since, now = clock_.utc()] {
        return file_.writer().settle_expired(begin, removed_since, now);
    };
    return carried_out(std::move(work));
}

asio::awaitable<std::uint64_t> SqliteStore::prune_before(LocalTime begin) {
    auto work = [this, begin] { return file_.writer().prune_before(begin); };
    return carried_out(std::move(work));
}

asio::awaitable<std::uint64_t> SqliteStore::prune(LocalTime begin, LocalTime end) {
    auto work = [this, begin, end] { return file_.writer().prune(begin, end); };
    return carried_out(std::move(work));
}

asio::awaitable<std::uint64_t> SqliteStore::count(LocalTime begin, LocalTime end) {
    auto work = [this, begin, end] { return file_.reader().count(begin, end); };
    return carried_out(std::move(work));
}

asio::awaitable<void> SqliteStore::recount() {
    auto work = [this] { file_.writer().recount(); };
    return carried_out(std::move(work));
}

asio::awaitable<std::optional<sync::NewestRows>> SqliteStore::newest_rows(LocalTime before) {
    auto work = [this, before] { return file_.reader().newest_rows(before); };
    return carried_out(std::move(work));
}

asio::awaitable<void> SqliteStore::record_run(sync::RunRecord run) {
    auto work = [this, run = std::move(run), now = clock_.utc()] {
        file_.writer().record_run(run, now);
    };
    return carried_out(std::move(work));
}

asio::awaitable<void> SqliteStore::claim_account(std::string id, std::string name) {
    auto work = [this, id = std::move(id), name = std::move(name)] {
        file_.writer().claim_account(id, name);
    };
    return carried_out(std::move(work));
}

asio::awaitable<sync::RequestsToday> SqliteStore::spend_requests(Instant now, std::int64_t wanted,
                                                                 std::uint64_t limit) {
    auto work = [this, now, wanted, limit] {
        return file_.writer().spend_requests(now, wanted, limit);
    };
    return carried_out(std::move(work));
}

asio::awaitable<std::optional<std::string>> SqliteStore::fact(std::string key) {
    auto work = [this, key = std::move(key)] { return file_.reader().fact(key); };
    return carried_out(std::move(work));
}

asio::awaitable<void> SqliteStore::set_fact(std::string key, std::string value) {
    auto work = [this, key = std::move(key), value = std::move(value)] {
        file_.writer().set_fact(key, value);
    };
    return carried_out(std::move(work));
}

asio::awaitable<void> SqliteStore::set_facts(std::map<std::string, std::string> facts) {
    auto work = [this, facts = std::move(facts)] { file_.writer().set_facts(facts); };
    return carried_out(std::move(work));
}

}  // namespace mirror::storage
