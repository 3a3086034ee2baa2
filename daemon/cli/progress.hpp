// What a person sees of long work: one line that moves on a terminal, a log line now and then
// elsewhere.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <spdlog/logger.h>

#include "core/sync/observer.hpp"
#include "core/time/zone.hpp"
#include "daemon/cli/moving_line.hpp"
#include "daemon/process/environment.hpp"

namespace mirror::daemon {

/// Shows the progress whenever some is reported, and by a timer in between.
class ProgressDisplay final : public sync::Observer {
  public:
    /// `quiet`: no progress at all.
    ProgressDisplay(const boost::asio::any_io_executor& executor, const Environment& environment,
                    std::shared_ptr<spdlog::logger> log, Zone zone, bool quiet);

    void progress(const sync::Progress& progress) override;
    void progress_paused() override;
    void debug(const std::string& line) override;
    void info(const std::string& line) override;
    void warning(const std::string& line) override;

    /// Takes the moving line away.
    void clear() { line_.clear(); }

    /// Whether a person sees what is shown now.
    bool is_watched() const { return environment_.err_is_terminal && !quiet_; }

    /// Nothing has been answered for some time: shown anew as the moving line, or else once; no
    /// progress is shown until waited().
    void waiting(const std::string& text);
    void waited();

  private:
    void show();
    void wait();

    boost::asio::steady_timer timer_;
    const Environment& environment_;
    std::shared_ptr<spdlog::logger> log_;
    Zone zone_;
    bool quiet_;
    MovingLine line_;
    Monotonic last_shown_;
    std::optional<sync::Progress> progress_;
    bool waiting_ = false;
    bool waiting_said_ = false;
};

/// "2026-11-02 00:00:00  41 %  123,456 of 300,000 rows  8,123 rows/s  22 s left": pure, for the
/// line and its tests. `elapsed` is how long the work has taken. Where there are fewer `columns`,
/// the time of day is left out, then the day, then the end.
std::string progress_text(const sync::Progress& progress, const Zone& zone,
                          std::chrono::milliseconds elapsed, std::size_t columns);

}  // namespace mirror::daemon
