// What a server keeps of the requests it got: the log, and counts.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "tests/simulator/request.hpp"

namespace simulator {

struct Counters {
    std::uint64_t connections = 0;  ///< accepted
    std::uint64_t open_connections = 0;
    std::uint64_t handshakes_refused = 0;  ///< TLS that failed
    std::uint64_t requests = 0;
    std::uint64_t requests_with_token = 0;  ///< any token, right or wrong
    std::uint64_t leaked_tokens = 0;        ///< in URLs that should have none
    std::uint64_t rows = 0;                 ///< answered with, delivered or not
    std::uint64_t bytes = 0;                ///< of heads and bodies that were sent whole
};

/// All members may be called from any thread.
class Bookkeeping {
  public:
    /// The oldest entries of the log go first.
    explicit Bookkeeping(std::size_t log_capacity) : log_capacity_(log_capacity) {}

    /// Gives a request its numbers, and to one for consumption the calls that it is told of.
    void enter(Request& request, std::chrono::local_days today);
    /// Logs a request that was answered.
    void keep(LogEntry entry);
    void count(const std::function<void(Counters&)>& edit);

    std::vector<LogEntry> log() const;
    Counters counters() const;
    /// Empties the log, and counts requests, rows and bytes from zero again.
    void start_over();
    /// False if `condition` did not come true in time.
    bool wait(const std::function<bool(const Counters&)>& condition,
              std::chrono::milliseconds timeout) const;

  private:
    void count_call(Request& request, std::chrono::local_days today);

    const std::size_t log_capacity_;
    mutable std::mutex mutex_;  // of what follows
    mutable std::condition_variable changed_;
    std::deque<LogEntry> log_;
    std::map<std::chrono::local_days, std::uint64_t> calls_by_day_;
    std::array<std::uint64_t, call_count> calls_{};  // by Call
    Counters counters_;
};

}  // namespace simulator
