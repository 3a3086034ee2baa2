// The page at `/` and `/still` of `run`: the report of the last thirty days.
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include "core/time/clock.hpp"
#include "daemon/metrics/http_server.hpp"
#include "daemon/report/report_source.hpp"

namespace mirror::daemon {

/// Draws when it is asked, at most once a minute, on a thread of its own: neither the loop nor a
/// scrape waits for it.
class StatusPage {
  public:
    StatusPage(ReportSource source, const Clock& clock);
    StatusPage(const StatusPage&) = delete;
    StatusPage& operator=(const StatusPage&) = delete;

    /// Whether a browser asks for the page again by itself.
    enum class Reload { each_minute, never };

    boost::asio::awaitable<HttpAnswer> answer(Reload reload);

    /// What is being drawn ends soon, without a page.
    void close() { closing_ = true; }

  private:
    struct Drawn {
        Monotonic at{};
        std::string page;
    };

    boost::asio::awaitable<std::string> draw();

    ReportSource source_;
    const Clock& clock_;
    std::optional<Drawn> drawn_;  // only its thread looks at it
    std::atomic<bool> closing_{false};
    boost::asio::thread_pool drawer_{1};
};

}  // namespace mirror::daemon
