// What a person sees of long work: one line that moves on a terminal, a log line now and then
// elsewhere.
#pragma once

#include <memory>
#include <string>

#include <spdlog/logger.h>

#include "core/sync/observer.hpp"
#include "core/time/zone.hpp"
#include "daemon/process/environment.hpp"

namespace mirror::daemon {

class ProgressDisplay final : public sync::Observer {
  public:
    /// `quiet`: no progress at all.
    ProgressDisplay(const Environment& environment, std::shared_ptr<spdlog::logger> log, Zone zone,
                    bool quiet);
    ~ProgressDisplay() override;

    void progress(const sync::Progress& progress) override;
    void debug(const std::string& line) override;
    void info(const std::string& line) override;
    void warning(const std::string& line) override;

    /// Takes the moving line away.
    void clear();

    /// Whether a person sees what is shown now.
    bool is_watched() const { return environment_.err_is_terminal && !quiet_; }

    /// Nothing has been answered for some time: shown anew as the moving line, or else once.
    void waiting(const std::string& text);
    void waited();

  private:
    bool moving() const;

    const Environment& environment_;
    std::shared_ptr<spdlog::logger> log_;
    Zone zone_;
    bool quiet_;
    Monotonic started_;
    Monotonic last_shown_;
    bool shown_ = false;
    bool waiting_said_ = false;
};

/// "2026-11-02 to 2026-11-23  412,000 rows  81,000 rows/s  3 min left": pure, for the line and its
/// tests. `elapsed` is since the work began.
std::string progress_text(const sync::Progress& progress, const Zone& zone,
                          std::chrono::milliseconds elapsed);

/// "1,200,345".
std::string grouped(std::uint64_t number);

}  // namespace mirror::daemon
