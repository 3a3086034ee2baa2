// Calls that are carried out elsewhere, as awaitables.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "storage/call_executor.hpp"

namespace mirror::storage {

/// Each call is carried out by the executor, in the order of calls, and its coroutine resumes on
/// its own. A call that was started is finished and answered even when its coroutine is cancelled
/// meanwhile. The destructor waits for calls at hand.
class AwaitableCalls {
  public:
    explicit AwaitableCalls(std::unique_ptr<CallExecutor> executor)
        : executor_(std::move(executor)) {}

    // No coroutine itself: the lambdas here are none of those that g++ 12 miscompiles.
    template <typename Work>
    auto carried_out(Work work) -> boost::asio::awaitable<std::invoke_result_t<Work&>> {
        using Result = std::invoke_result_t<Work&>;
        auto start = [this](auto handler, Work job) {
            ++asked_;
            executor_->submit(std::make_shared<WaitingCall<Result, Work, decltype(handler)>>(
                std::move(job), std::move(handler), done_));
        };
        using Token = const boost::asio::use_awaitable_t<>;
        return boost::asio::async_initiate<Token, typename Signature<Result>::type>(
            std::move(start), boost::asio::use_awaitable, std::move(work));
    }

    /// From any thread.
    std::uint64_t asked() const { return asked_; }
    std::uint64_t done() const { return done_; }

  private:
    template <typename Result>
    struct Signature {
        using type = void(std::exception_ptr, Result);
    };

    template <typename Result, typename Work, typename Handler>
    class WaitingCall;

    std::atomic<std::uint64_t> asked_{0};
    std::atomic<std::uint64_t> done_{0};
    std::unique_ptr<CallExecutor> executor_;  // goes first: it waits for the calls at hand
};

template <>
struct AwaitableCalls::Signature<void> {
    using type = void(std::exception_ptr);
};

// A call with the handler of the coroutine that waits for it.
template <typename Result, typename Work, typename Handler>
class AwaitableCalls::WaitingCall final : public CallExecutor::Call {
  public:
    WaitingCall(Work work, Handler handler, std::atomic<std::uint64_t>& done)
        : work_(std::move(work)),
          handler_(std::move(handler)),
          guard_(boost::asio::make_work_guard(handler_)),
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
            boost::asio::post(executor,
                              [handler = std::move(handler_), error = std::move(error_),
                               guard = std::move(guard_)]() mutable { std::move(handler)(error); });
        } else {
            boost::asio::post(executor,
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
    decltype(boost::asio::make_work_guard(std::declval<Handler&>())) guard_;
    std::atomic<std::uint64_t>& done_;
    std::exception_ptr error_;
    Kept result_{};
};

}  // namespace mirror::storage
