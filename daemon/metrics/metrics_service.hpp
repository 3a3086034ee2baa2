// `/metrics`, `/healthz` and `/livez` of `run`, and its page at `/`.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include "core/time/clock.hpp"
#include "daemon/config/listen_address.hpp"
#include "daemon/metrics/health.hpp"
#include "daemon/metrics/http_server.hpp"
#include "daemon/metrics/liveness.hpp"
#include "daemon/metrics/metrics.hpp"
#include "daemon/metrics/status_page.hpp"
#include "storage/sqlite/activity.hpp"

namespace mirror::daemon {

/// Observe the run with metrics() and health(). The file is read at each scrape, read-only and on
/// a thread of its own: the loop does not wait for the disk, nor a scrape for a long transaction.
class MetricsService {
  public:
    /// Throws UsageError if it cannot listen.
    MetricsService(const boost::asio::any_io_executor& executor, const ListenAddress& where,
                   std::filesystem::path database, std::vector<const Stream*> streams,
                   const Clock& clock, Seconds poll_interval,
                   std::function<storage::Activity()> activity, std::string time_zone);

    sync::Observer& metrics() { return metrics_; }
    sync::Observer& health() { return health_; }

    /// Another one from now on.
    void set_poll_interval(Seconds poll_interval) { health_.set_poll_interval(poll_interval); }

    /// "127.0.0.1:9743".
    std::string where() const { return server_.where(); }

    /// Nothing keeps the loop running any more.
    void close() {
        server_.close();
        page_.close();
        liveness_.close();
    }

  private:
    boost::asio::awaitable<HttpAnswer> answer(std::string path);
    boost::asio::awaitable<HttpAnswer> scrape();

    std::filesystem::path database_;
    std::vector<const Stream*> streams_;  // that are followed
    const Clock& clock_;
    Metrics metrics_{"[metrics] listen"};
    Health health_;
    Liveness liveness_;
    boost::asio::thread_pool reader_{1};
    bool serves_page_;  // subjects of mailings are nobody else's business
    StatusPage page_;
    HttpServer server_;
};

}  // namespace mirror::daemon
