// A graceful stop: nothing new is begun, what is nearly done is finished.
#pragma once

#include <optional>

#include "core/time/clock.hpp"

namespace mirror::sync {

class StopRequest {
  public:
    /// From now on no window is begun; those at work may go on until that moment.
    void request(Monotonic until) { until_ = until; }

    bool requested() const { return until_.has_value(); }

    /// How long what is at work may still take.
    std::chrono::duration<double> time_left(Monotonic now) const {
        return until_ && *until_ > now ? *until_ - now : std::chrono::duration<double>(0);
    }

    /// Counts what is at work, as long as it lives.
    class Work {
      public:
        explicit Work(StopRequest& owner) : owner_(owner) { ++owner_.at_work_; }
        Work(const Work&) = delete;
        Work& operator=(const Work&) = delete;
        ~Work() { --owner_.at_work_; }

      private:
        StopRequest& owner_;
    };

    bool anything_at_work() const { return at_work_ > 0; }

  private:
    std::optional<Monotonic> until_;
    int at_work_ = 0;
};

}  // namespace mirror::sync
