// The simulated server's own clock.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>

#include "core/time/instant.hpp"

namespace simulator {

/// The machine's clock until it is told otherwise. Safe to use from several threads at once.
class ServerClock {
  public:
    mirror::Instant now() const;

    /// Stands still.
    void stand_at(mirror::Instant at);
    /// Runs with real time, from `at` now.
    void run_from(mirror::Instant at);
    /// Jumps, standing or running.
    void advance(mirror::Seconds by);
    /// Asks `source` each time; it must be safe to call from the server's thread.
    void follow(std::function<mirror::Instant()> source);

  private:
    mutable std::mutex mutex_;
    std::function<mirror::Instant()> source_ = [] {
        return std::chrono::floor<mirror::Seconds>(std::chrono::system_clock::now());
    };
    mirror::Seconds ahead_{0};
};

}  // namespace simulator
