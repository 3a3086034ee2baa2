#include "daemon/metrics/metrics_service.hpp"

#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include "core/util/printable.hpp"
#include "daemon/process/process_usage.hpp"
#include "daemon/process/usage_error.hpp"
#include "daemon/status/status.hpp"
#include "storage/inspection.hpp"
#include "storage/status_reader.hpp"

namespace mirror::daemon {

namespace asio = boost::asio;

namespace {

// Readers hardly ever wait, and the end of `run` waits for a scrape that has begun.
constexpr std::chrono::milliseconds busy_timeout(500);

struct FileNow {
    storage::FileStatus status;
    std::optional<std::uint64_t> free_bytes;
};

ReportSource report_source(const std::filesystem::path& database,
                           const std::vector<const Stream*>& streams, std::string time_zone) {
    ReportSource source;
    source.database = database;
    source.streams = streams;
    source.time_zone = std::move(time_zone);
    source.busy_timeout = busy_timeout;
    return source;
}

asio::awaitable<FileNow> read_file(std::filesystem::path database) {
    storage::StatusOptions options;
    options.path = std::move(database);
    options.runs = 0;
    options.busy_timeout = busy_timeout;
    FileNow now;
    now.status = storage::read_status(options);
    now.free_bytes = storage::inspect(options.path).free_bytes;
    co_return now;
}

}  // namespace

MetricsService::MetricsService(const asio::any_io_executor& executor, const ListenAddress& where,
                               std::filesystem::path database, std::vector<const Stream*> streams,
                               const Clock& clock, Seconds poll_interval,
                               std::function<storage::Activity()> activity,
                               std::string time_zone) try
    : database_(std::move(database)),
      streams_(std::move(streams)),
      clock_(clock),
      health_(clock, poll_interval),
      liveness_(executor, std::move(activity)),
      serves_page_(where.loopback),
      page_(last_thirty_days_of(report_source(database_, streams_, std::move(time_zone)), clock),
            clock),
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
    if (path == "/livez") {
        const auto reason = liveness_.why_not();
        co_return reason ? HttpAnswer(503, *reason + "\n") : HttpAnswer(200, "ok\n");
    }
    if (serves_page_ && (path == "/" || path == "/still")) {
        co_return co_await page_.answer(path == "/" ? StatusPage::Kind::reloading
                                                    : StatusPage::Kind::still);
    }
    co_return HttpAnswer(404, serves_page_ ? "here are /, /still, /metrics, /healthz and /livez\n"
                                           : "here are /metrics, /healthz and /livez\n");
}

asio::awaitable<HttpAnswer> MetricsService::scrape() {
    FileNow file;
    std::string failed;
    try {
        asio::awaitable<FileNow> reading = read_file(database_);
        file = co_await asio::co_spawn(reader_, std::move(reading), asio::use_awaitable);
    } catch (const std::exception& error) {
        failed = printable(error.what());
    }
    if (!failed.empty()) {
        co_return HttpAnswer(500, failed + "\n");
    }
    metrics_.set_file(assess_all(file.status, streams_, clock_.utc()));
    if (file.free_bytes) {
        metrics_.set_free_bytes(*file.free_bytes);
    }
    if (const auto usage = process_usage()) {
        metrics_.set_process(*usage);
    }
    HttpAnswer answer(200, metrics_.text());
    answer.type = Metrics::text_type;
    co_return answer;
}

}  // namespace mirror::daemon
