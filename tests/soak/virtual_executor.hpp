// Carries out the calls of a store on the loop's own thread, so that everything happens in the same
// order each time. The thread is tested by the end-to-end and storage tests.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "storage/call_executor.hpp"
#include "tests/soak/virtual_clock.hpp"

namespace mirror::soak {

/// Each call is carried out at once, and answered after some virtual time.
class VirtualExecutor final : public storage::CallExecutor {
  public:
    /// `duration` says how long the next call takes.
    VirtualExecutor(VirtualClock& clock, std::function<std::chrono::milliseconds()> duration)
        : clock_(clock), duration_(std::move(duration)) {}

    void submit(std::shared_ptr<Call> call) override {
        call->carry_out();
        clock_.call_after(duration_(), [call = std::move(call)] { call->answer(); });
    }

  private:
    VirtualClock& clock_;
    std::function<std::chrono::milliseconds()> duration_;
};

}  // namespace mirror::soak
