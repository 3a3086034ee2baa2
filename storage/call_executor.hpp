// Where the calls of a store are carried out.
#pragma once

#include <memory>

#include <boost/asio/thread_pool.hpp>

namespace mirror::storage {

class CallExecutor {
  public:
    /// One call to the store.
    class Call {
      public:
        virtual ~Call() = default;
        /// Does the work, and keeps its result or its exception.
        virtual void carry_out() noexcept = 0;
        /// Hands the result to the caller's own executor. Once, from any thread.
        virtual void answer() = 0;
    };

    /// After it, every call that was submitted was carried out.
    virtual ~CallExecutor() = default;

    /// Carries the call out after all that were submitted before it, then answers it.
    virtual void submit(std::shared_ptr<Call> call) = 0;
};

/// A thread of its own, so that the caller never waits for the disk.
class ThreadExecutor final : public CallExecutor {
  public:
    ~ThreadExecutor() override { thread_.join(); }

    void submit(std::shared_ptr<Call> call) override;

  private:
    boost::asio::thread_pool thread_{1};
};

}  // namespace mirror::storage
