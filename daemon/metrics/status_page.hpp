// The page at `/` and `/still` of `run`: the report of the last thirty days.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include "core/time/clock.hpp"
#include "daemon/metrics/http_server.hpp"
#include "daemon/report/report_source.hpp"

namespace mirror::daemon {

/// How the page is made. Both are called on threads of their own, and may throw.
struct PageMaker {
    /// Takes seconds in a file of tens of millions of rows. Ends soon once `go_on` is false.
    std::function<ReportCounts(const std::function<bool()>& go_on)> count;
    /// Takes some milliseconds.
    std::function<std::string(const std::optional<ReportCounts>&)> draw;
};

/// The report of the last thirty days of a file.
PageMaker last_thirty_days_of(const ReportSource& source, const Clock& clock);

/// Says at each look how complete the file is. Opens and mailings are counted when somebody looks,
/// at most once a minute, and less often if that takes long. Neither the loop nor a scrape waits
/// for it, and a look waits for `patience` at the most.
class StatusPage {
  public:
    StatusPage(PageMaker maker, const Clock& clock,
               std::chrono::milliseconds patience = std::chrono::milliseconds(50));
    StatusPage(const StatusPage&) = delete;
    StatusPage& operator=(const StatusPage&) = delete;

    enum class Kind {
        reloading,  ///< a browser asks for it again by itself
        still,      ///< is not asked for again, so that it waits for its counts
    };

    boost::asio::awaitable<HttpAnswer> answer(Kind kind);

    /// What is being counted ends soon, without a page.
    void close() { closing_ = true; }

  private:
    /// The last count, or why there is none.
    struct Counted {
        Monotonic at{};  ///< its end
        Monotonic::duration took{};
        std::optional<ReportCounts> counts;
        std::string failed;
    };

    boost::asio::awaitable<void> wait_for_counts(Kind kind);
    boost::asio::awaitable<void> count();
    boost::asio::awaitable<std::string> draw();
    Counted counted() const;
    bool is_due() const;

    PageMaker maker_;
    const Clock& clock_;
    std::chrono::milliseconds patience_;
    mutable std::mutex mutex_;
    Counted counted_;  // of the mutex
    std::atomic<bool> closing_{false};
    // These are last: their destructors wait for their threads.
    boost::asio::thread_pool counter_{1};
    boost::asio::thread_pool drawer_{1};
};

}  // namespace mirror::daemon
