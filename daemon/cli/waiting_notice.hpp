// What a person at a terminal sees while the API does not answer.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/sync/observer.hpp"
#include "daemon/cli/progress.hpp"

namespace mirror::daemon {

/// Says so within seconds if nothing has been answered, and why the last try failed: a hung server
/// takes half a minute to become an error. Says nothing if nobody watches.
class WaitingNotice final : public sync::Observer {
  public:
    /// `host` is the API's. `display` must outlive it. Nothing is said before `patience`, then anew
    /// each `interval`.
    WaitingNotice(const boost::asio::any_io_executor& executor, ProgressDisplay& display,
                  std::string host, std::chrono::milliseconds patience = std::chrono::seconds(2),
                  std::chrono::milliseconds interval = std::chrono::seconds(1));

    void request_begun() override;
    void request_ended(copernica::RequestOutcome outcome, std::chrono::nanoseconds took) override;
    void request_failed(const std::string& why) override { why_ = why; }

    /// Nothing of it keeps the loop running any more.
    void close();

  private:
    using Time = std::chrono::steady_clock::time_point;

    void wait(std::chrono::milliseconds duration);
    void answered();

    ProgressDisplay& display_;
    std::string host_;
    std::chrono::milliseconds patience_;
    std::chrono::milliseconds interval_;
    boost::asio::steady_timer timer_;
    std::optional<Time> since_;  // the first request that was made since the last answer
    std::optional<std::string> why_;
    bool answered_once_ = false;
    bool said_ = false;
    bool closed_ = false;
};

/// "waiting for the API for 6 s; last: HTTP status 503". Pure.
std::string waiting_text(std::chrono::seconds waited, const std::optional<std::string>& why);

/// "connecting to api.copernica.com … (2 s)": before the first answer. Pure.
std::string connecting_text(const std::string& host, std::chrono::seconds waited);

}  // namespace mirror::daemon
