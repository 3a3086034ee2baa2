#include "daemon/commands/snapshot_command.hpp"

#include <chrono>
#include <csignal>
#include <ostream>

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include "core/time/text.hpp"
#include "core/time/zone.hpp"
#include "daemon/cli/moving_line.hpp"
#include "daemon/cli/terminal_text.hpp"
#include "daemon/process/stop_signals.hpp"
#include "daemon/status/status.hpp"
#include "storage/snapshot.hpp"
#include "storage/status_reader.hpp"

namespace mirror::daemon {
namespace {

constexpr std::chrono::milliseconds shown_every(200);

// On a terminal; elsewhere nothing: a copy takes seconds.
class CopyDisplay {
  public:
    CopyDisplay(const Environment& environment, bool quiet)
        : clock_(environment.clock), line_(environment, quiet), last_shown_(clock_.monotonic()) {}

    void show(const storage::SnapshotProgress& progress) {
        const Monotonic now = clock_.monotonic();
        if (now - last_shown_ < shown_every || progress.bytes == 0) {
            return;
        }
        last_shown_ = now;
        line_.show(fmt::format("{} %  {} of {} MiB", progress.bytes_done * 100 / progress.bytes,
                               mebibytes(progress.bytes_done), mebibytes(progress.bytes)));
    }

  private:
    const Clock& clock_;
    MovingLine line_;
    Monotonic last_shown_;
};

std::string contents(const Status& status) {
    std::string text = counted(status.rows, "row");
    if (status.complete) {
        const Zone zone(status.time_zone);
        text += fmt::format(", complete from {} to {} ({})",
                            format_local(zone.to_local(status.complete->begin)),
                            format_local(zone.to_local(status.complete->end)), zone.name());
    }
    return text;
}

// Of the copy, not of the file, which may have gone on. A line for each stream if there are
// several.
std::string summary(const std::filesystem::path& copy, std::uint64_t bytes, Instant now) {
    storage::StatusOptions options;
    options.path = copy;
    options.runs = 0;
    const Statuses all = assess_all(storage::read_status(options), {}, now);
    const std::string file = fmt::format("{}: {} MiB, ", copy.string(), mebibytes(bytes));
    if (all.size() == 1) {
        return file + contents(all.front()) + "\n";
    }
    std::uint64_t rows = 0;
    for (const Status& status : all) {
        rows += status.rows;
    }
    std::string text = file + counted(rows, "row") + "\n";
    for (const Status& status : all) {
        text += fmt::format("{}: {}\n", status.stream->name, contents(status));
    }
    return text;
}

}  // namespace

ExitCode take_snapshot(const CommandLine& line, const Config& config,
                       const Environment& environment) {
    boost::asio::io_context loop(1);
    StopSignals signals(loop.get_executor());
    storage::SnapshotOptions options;
    options.source = config.mirror.database;
    options.target = line.snapshot;
    std::uint64_t bytes = 0;
    {
        CopyDisplay display(environment, line.quiet);
        options.go_on = [&](const storage::SnapshotProgress& progress) {
            loop.poll();
            display.show(progress);
            return !signals.caught();
        };
        bytes = storage::take_snapshot(options);
    }
    if (signals.caught()) {
        return *signals.caught() == SIGINT ? ExitCode::interrupted : ExitCode::terminated;
    }
    environment.out << summary(line.snapshot, bytes, environment.clock.utc()) << std::flush;
    return ExitCode::done;
}

}  // namespace mirror::daemon
