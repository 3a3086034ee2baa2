#include "daemon/metrics/metrics_file.hpp"

#include <string>
#include <sys/types.h>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "core/util/printable.hpp"
#include "core/util/replacement_file.hpp"
#include "daemon/process/usage_error.hpp"
#include "daemon/status/status.hpp"
#include "storage/inspection.hpp"
#include "storage/sqlite/errors.hpp"
#include "storage/status_reader.hpp"

namespace mirror::daemon {
namespace {

constexpr std::size_t longest_message = 4000;

// The collector is another user; the umask of a service keeps others out.
constexpr mode_t file_mode = 0644;
constexpr std::string_view own_begin = "# HELP copernica_mirror_";

std::string message(const std::filesystem::path& path, const std::exception& error) {
    return printable(fmt::format("--metrics-file {}: {}", path.string(), error.what()),
                     longest_message);
}

}  // namespace

MetricsFile::MetricsFile(std::filesystem::path path)
    : path_(std::move(path)), metrics_("--metrics-file") {
    std::error_code ignored;
    if (!path_.has_filename() || std::filesystem::is_directory(path_, ignored)) {
        throw UsageError(
            fmt::format("--metrics-file \"{}\": it takes the name of a file, such as "
                        "/var/lib/prometheus/node-exporter/copernica-mirror.prom",
                        path_.string()));
    }
    if (const auto why = why_not_to_replace(path_, own_begin, "metrics of this program")) {
        throw UsageError(
            fmt::format("--metrics-file {}: {}; name another file", path_.string(), *why));
    }
    try {
        // Its name does not end in .prom, so the collector does not read it.
        const ReplacementFile attempt(path_, file_mode);
    } catch (const FileError& error) {
        throw UsageError(message(path_, error) +
                         "; name a directory that is there and that this user may write to");
    }
}

void MetricsFile::write(ExitCode code, const Clock& clock, spdlog::logger& log) {
    const Instant now = clock.utc();
    try {
        metrics_.set_run(code, now);
        read_database(code, now, log);
        ReplacementFile file(path_, file_mode);
        file.write(metrics_.text());
        file.replace();
    } catch (const std::exception& error) {
        log.error("{}; what was there before stays", message(path_, error));
    }
}

void MetricsFile::read_database(ExitCode code, Instant now, spdlog::logger& log) {
    std::error_code ignored;
    if (!database_ || !std::filesystem::exists(*database_, ignored)) {
        return;
    }
    try {
        storage::StatusOptions options;
        options.path = *database_;
        options.runs = 0;
        metrics_.set_file(assess_all(storage::read_status(options), streams_, now));
        if (const auto free_bytes = storage::inspect(*database_).free_bytes) {
            metrics_.set_free_bytes(*free_bytes);
        }
    } catch (const storage::DatabaseError& error) {
        if (code != ExitCode::database) {  // which the log has the reason of already
            log.warn("{}; metrics of the database are left out", message(path_, error));
        }
    }
}

}  // namespace mirror::daemon
