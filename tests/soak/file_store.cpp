#include "tests/soak/file_store.hpp"

#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace mirror::soak {
namespace {

namespace asio = boost::asio;

template <typename Result, typename Handler>
struct Answer {
    explicit Answer(Handler taken) : handler(std::move(taken)) {}
    Handler handler;
    std::exception_ptr error;
    Result result{};

    template <typename Work>
    void obtain(Work& work) {
        result = work();
    }
    void give() { std::move(handler)(error, std::move(result)); }
};

template <typename Handler>
struct Answer<void, Handler> {
    explicit Answer(Handler taken) : handler(std::move(taken)) {}
    Handler handler;
    std::exception_ptr error;

    template <typename Work>
    void obtain(Work& work) {
        work();
    }
    void give() { std::move(handler)(error); }
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

template <typename Work>
auto FileStore::carry_out(Work work) -> asio::awaitable<std::invoke_result_t<Work&>> {
    using Result = std::invoke_result_t<Work&>;
    auto start = [this](auto handler, Work job) {
        using Held = Answer<Result, decltype(handler)>;
        const auto executor = asio::get_associated_executor(handler);
        const auto answer = std::make_shared<Held>(std::move(handler));
        try {
            answer->obtain(job);
        } catch (...) {
            answer->error = std::current_exception();
        }
        clock_.call_after(duration_(), [answer, executor] {
            asio::post(executor, [answer] { answer->give(); });
        });
    };
    return asio::async_initiate<const asio::use_awaitable_t<>, typename Signature<Result>::type>(
        std::move(start), asio::use_awaitable, std::move(work));
}

FileStore::FileStore(storage::MirrorOptions options, VirtualClock& clock,
                     std::function<std::chrono::milliseconds()> duration)
    : clock_(clock), duration_(std::move(duration)), file_(std::move(options), clock.utc()) {}

asio::awaitable<WindowSet> FileStore::coverage(std::int64_t age) {
    auto work = [this, age] { return file_.coverage(age); };
    return carry_out(std::move(work));
}

asio::awaitable<sync::Written> FileStore::commit(std::vector<sync::WholeWindow> windows,
                                                 Instant server_now) {
    const storage::Moment now{clock_.utc(), clock_.monotonic()};
    auto work = [this, windows = std::move(windows), server_now, now] {
        return file_.commit(windows, server_now, now);
    };
    return carry_out(std::move(work));
}

asio::awaitable<void> FileStore::uncover(WindowSet windows) {
    auto work = [this, windows = std::move(windows)] { file_.uncover(windows); };
    return carry_out(std::move(work));
}

asio::awaitable<std::vector<sync::RowDifference>> FileStore::compare(
    const std::vector<sync::WholeWindow>& windows) {
    auto work = [this, &windows] { return file_.compare(windows); };
    return carry_out(std::move(work));
}

asio::awaitable<std::optional<LocalTime>> FileStore::row_free_second(LocalTime begin, LocalTime end,
                                                                     sync::RowFreeNear near) {
    auto work = [this, begin, end, near] { return file_.row_free_second(begin, end, near); };
    return carry_out(std::move(work));
}

asio::awaitable<std::uint64_t> FileStore::prune(LocalTime begin, LocalTime end) {
    auto work = [this, begin, end] { return file_.prune(begin, end); };
    return carry_out(std::move(work));
}

asio::awaitable<std::uint64_t> FileStore::count(LocalTime begin, LocalTime end) {
    auto work = [this, begin, end] { return file_.count(begin, end); };
    return carry_out(std::move(work));
}

asio::awaitable<void> FileStore::recount() {
    auto work = [this] { file_.recount(); };
    return carry_out(std::move(work));
}

asio::awaitable<std::optional<sync::NewestRows>> FileStore::newest_rows(LocalTime before) {
    auto work = [this, before] { return file_.newest_rows(before); };
    return carry_out(std::move(work));
}

asio::awaitable<void> FileStore::record_run(sync::RunRecord run) {
    auto work = [this, run = std::move(run), now = clock_.utc()] { file_.record_run(run, now); };
    return carry_out(std::move(work));
}

asio::awaitable<void> FileStore::claim_account(std::string id, std::string name) {
    auto work = [this, id = std::move(id), name = std::move(name)] {
        file_.claim_account(id, name);
    };
    return carry_out(std::move(work));
}

asio::awaitable<std::optional<std::string>> FileStore::fact(std::string key) {
    auto work = [this, key = std::move(key)] { return file_.fact(key); };
    return carry_out(std::move(work));
}

asio::awaitable<void> FileStore::set_fact(std::string key, std::string value) {
    auto work = [this, key = std::move(key), value = std::move(value)] {
        file_.set_fact(key, value);
    };
    return carry_out(std::move(work));
}

asio::awaitable<void> FileStore::set_facts(std::map<std::string, std::string> facts) {
    auto work = [this, facts = std::move(facts)] { file_.set_facts(facts); };
    return carry_out(std::move(work));
}

}  // namespace mirror::soak
