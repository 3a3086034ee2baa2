// Ends what takes too long.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include <boost/asio/any_io_executor.hpp>

namespace mirror {

/// Calls a function once when its time has come. Setting a later time costs nothing: the timer
/// finds out when it fires. All calls come from the executor's thread.
class Deadline {
  public:
    using Time = std::chrono::steady_clock::time_point;

    Deadline(boost::asio::any_io_executor executor, std::function<void()> bite);
    ~Deadline();
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;

    void expires_at(Time time);

    /// Leaves nothing behind that would keep an io_context running.
    void off();

    /// True once it has called its function.
    bool expired() const;

  private:
    struct State;
    static void arm(const std::shared_ptr<State>& state);

    std::shared_ptr<State> state_;
};

}  // namespace mirror
