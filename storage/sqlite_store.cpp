#include "storage/sqlite_store.hpp"

#include <exception>
#include <type_traits>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "storage/sqlite/page_writes.hpp"

namespace mirror::storage {
namespace {

namespace asio = boost::asio;

// The result of a call, on its way from the store's thread to the caller's executor.
template <typename Result>
struct Answer {
    std::exception_ptr error;
    Result result{};

    template <typename Work>
    void obtain(Work& work) {
        result = work();
    }
    template <typename Handler>
    void give(Handler& handler) {
        std::move(handler)(error, std::move(result));
    }
};

template <>
struct Answer<void> {
    std::exception_ptr error;

    template <typename Work>
    void obtain(Work& work) {
        work();
    }
    template <typename Handler>
    void give(Handler& handler) {
        std::move(handler)(error);
    }
};

template <typename Result>
struct Signature {
    using type = void(std::exception_ptr, Result);
};

template <>
struct Signature<void> {
    using type = void(std::exception_ptr);
};

}  // namespace

// No coroutine itself: the lambdas here are none of those that g++ 12 miscompiles.
template <typename Work>
auto SqliteStore::on_thread(Work work) -> asio::awaitable<std::invoke_result_t<Work&>> {
    using Result = std::invoke_result_t<Work&>;
    auto start = [this](auto handler, Work job) {
        // The caller's loop has something to wait for until the answer is on it.
        auto guard = asio::make_work_guard(handler);
        ++asked_;
        auto task = [this, job = std::move(job), handler = std::move(handler),
                     guard = std::move(guard)]() mutable {
            Answer<Result> answer;
            try {
                answer.obtain(job);
            } catch (...) {
                answer.error = std::current_exception();
            }
            ++done_;
            const auto executor = guard.get_executor();
            asio::post(executor, [handler = std::move(handler), answer = std::move(answer),
                                  guard = std::move(guard)]() mutable { answer.give(handler); });
        };
        asio::post(thread_, std::move(task));
    };
    return asio::async_initiate<const asio::use_awaitable_t<>, typename Signature<Result>::type>(
        std::move(start), asio::use_awaitable, std::move(work));
}

SqliteStore::SqliteStore(MirrorOptions options, Clock& clock, std::function<void()> opening)
    : clock_(clock), opening_(std::move(opening)), file_(watched(std::move(options)), clock.utc()) {
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

SqliteStore::~SqliteStore() {
    thread_.join();
}

asio::awaitable<WindowSet> SqliteStore::coverage(std::int64_t age) {
    auto work = [this, age] { return file_.coverage(age); };
    return on_thread(std::move(work));
}

asio::awaitable<sync::Written> SqliteStore::commit(std::vector<sync::WholeWindow> windows,
                                                   Instant server_now) {
    const Moment now{clock_.utc(), clock_.monotonic()};
    auto work = [this, windows = std::move(windows), server_now, now] {
        return file_.commit(windows, server_now, now);
    };
    return on_thread(std::move(work));
}

asio::awaitable<void> SqliteStore::uncover(WindowSet windows) {
    auto work = [this, windows = std::move(windows)] { file_.uncover(windows); };
    return on_thread(std::move(work));
}

asio::awaitable<std::vector<sync::RowDifference>> SqliteStore::compare(
    const std::vector<sync::WholeWindow>& windows) {
    auto work = [this, &windows] { return file_.compare(windows); };
    return on_thread(std::move(work));
}

asio::awaitable<std::optional<LocalTime>> SqliteStore::row_free_second(LocalTime begin,
                                                                       LocalTime end,
                                                                       sync::RowFreeNear near) {
    auto work = [this, begin, end, near] { return file_.row_free_second(begin, end, near); };
    return on_thread(std::move(work));
}

asio::awaitable<std::uint64_t> SqliteStore::prune(LocalTime begin, LocalTime end) {
    auto work = [this, begin, end] { return file_.prune(begin, end); };
    return on_thread(std::move(work));
}

asio::awaitable<std::uint64_t> SqliteStore::count(LocalTime begin, LocalTime end) {
    auto work = [this, begin, end] { return file_.count(begin, end); };
    return on_thread(std::move(work));
}

asio::awaitable<void> SqliteStore::recount() {
    auto work = [this] { file_.recount(); };
    return on_thread(std::move(work));
}

asio::awaitable<std::optional<sync::NewestRows>> SqliteStore::newest_rows(LocalTime before) {
    auto work = [this, before] { return file_.newest_rows(before); };
    return on_thread(std::move(work));
}

asio::awaitable<void> SqliteStore::record_run(sync::RunRecord run) {
    auto work = [this, run = std::move(run), now = clock_.utc()] { file_.record_run(run, now); };
    return on_thread(std::move(work));
}

asio::awaitable<void> SqliteStore::claim_account(std::string id, std::string name) {
    auto work = [this, id = std::move(id), name = std::move(name)] {
        file_.claim_account(id, name);
    };
    return on_thread(std::move(work));
}

asio::awaitable<std::optional<std::string>> SqliteStore::fact(std::string key) {
    auto work = [this, key = std::move(key)] { return file_.fact(key); };
    return on_thread(std::move(work));
}

asio::awaitable<void> SqliteStore::set_fact(std::string key, std::string value) {
    auto work = [this, key = std::move(key), value = std::move(value)] {
        file_.set_fact(key, value);
    };
    return on_thread(std::move(work));
}

asio::awaitable<void> SqliteStore::set_facts(std::map<std::string, std::string> facts) {
    auto work = [this, facts = std::move(facts)] { file_.set_facts(facts); };
    return on_thread(std::move(work));
}

}  // namespace mirror::storage
