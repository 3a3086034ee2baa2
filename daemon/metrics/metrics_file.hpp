// `--metrics-file`: the metrics of one run of `sync`, `backfill` or `audit`, for the textfile
// collector of node_exporter.
#pragma once

#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include <spdlog/logger.h>

#include "core/time/clock.hpp"
#include "daemon/metrics/metrics.hpp"
#include "daemon/process/exit_code.hpp"

namespace mirror::daemon {

/// Observe the run with metrics(); write() when it has ended.
class MetricsFile {
  public:
    /// Throws UsageError if the program was built without prometheus-cpp, or if no file can be made
    /// in the directory of `path`; so a mistake shows before the run, not after it.
    explicit MetricsFile(std::filesystem::path path);

    sync::Observer& metrics() { return metrics_; }

    /// Which file the metrics are about, as soon as the configuration is known. Without it, or if
    /// it cannot be read, metrics of the file are absent.
    void set_database(std::filesystem::path database, std::vector<const Stream*> streams) {
        database_ = std::move(database);
        streams_ = std::move(streams);
    }

    /// Replaces the file as a whole, mode 0644. The run has its exit code by then: what goes wrong
    /// here is logged, and changes nothing.
    void write(ExitCode code, const Clock& clock, spdlog::logger& log);

  private:
    void read_database(ExitCode code, Instant now, spdlog::logger& log);

    std::filesystem::path path_;
    std::optional<std::filesystem::path> database_;
    std::vector<const Stream*> streams_;  // that are configured
    Metrics metrics_;
};

}  // namespace mirror::daemon
