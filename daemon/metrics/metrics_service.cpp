#include "daemon/metrics/metrics_service.hpp"

#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include "core/util/printable.hpp"
#include "daemon/process/usage_error.hpp"
#include "daemon/status/status.hpp"

namespace mirror::daemon {

namespace asio = boost::asio;

namespace {

// Readers hardly ever wait; and the end of `run` waits for a scrape at hand.
constexpr std::chrono::milliseconds busy_timeout(500);

asio::awaitable<storage::FileStatus> read_file(std::filesystem::path database) {
    storage::StatusOptions options;
    options.path = std::move(database);
    options.runs = 0;
    options.busy_timeout = busy_timeout;
    co_return storage::read_status(options);
}

}  // namespace

MetricsService::MetricsService(const asio::any_io_executor& executor, const ListenAddress& where,
                               std::filesystem::path database, const Clock& clock,
                               Seconds poll_interval) try
    : database_(std::move(database)),
      clock_(clock),
      health_(clock, poll_interval),
      server_(executor, where, [this](std::string path) { return answer(std::move(path)); }) {
} catch (const boost::system::system_error& error) {
    throw UsageError(
        fmt::format("[metrics] listen: cannot listen on {} port {}: {}; choose an address of this "
                    "machine and a port that no other program has, or leave the key empty",
                    where.address, where.port, error.code().message()));
}

asio::awaitable<HttpAnswer> MetricsService::answer(std::string path) {
    if (path == "/metrics") {
        co_return co_await scrape();
    }
    if (path == "/healthz") {
        const auto reason = health_.why_not();
        co_return reason ? HttpAnswer(503, *reason + "\n") : HttpAnswer(200, "ok\n");
    }
    co_return HttpAnswer(404, "here are /metrics and /healthz\n");
}

asio::awaitable<HttpAnswer> MetricsService::scrape() {
    storage::FileStatus file;
    std::string failed;
    try {
        asio::awaitable<storage::FileStatus> reading = read_file(database_);
        file = co_await asio::co_spawn(reader_, std::move(reading), asio::use_awaitable);
    } catch (const std::exception& error) {
        failed = printable(error.what());
    }
    if (!failed.empty()) {
        co_return HttpAnswer(500, failed + "\n");
    }
    metrics_.set_file(assess(file, clock_.utc()));
    HttpAnswer answer(200, metrics_.text());
    answer.type = Metrics::text_type;
    co_return answer;
}

}  // namespace mirror::daemon
