#include "daemon/cli/progress.hpp"

#include <algorithm>
#include <ostream>
#include <utility>

#include <fmt/format.h>

#include "core/time/text.hpp"

namespace mirror::daemon {
namespace {

constexpr std::chrono::milliseconds line_interval(200);
constexpr std::chrono::seconds log_interval(10);

// Carriage return, then "erase the line" (ECMA-48 EL 2).
constexpr const char* erase_line = "\r\x1b[2K";

std::string left_text(double seconds) {
    if (seconds < 90) {
        return fmt::format("{:.0f} s left", seconds);
    }
    if (seconds < 90.0 * 60) {
        return fmt::format("{:.0f} min left", seconds / 60);
    }
    return fmt::format("{:.0f} h left", seconds / 3600);
}

}  // namespace

std::string grouped(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t at = text.size(); at > 3; at -= 3) {
        text.insert(at - 3, 1, ',');
    }
    return text;
}

std::string progress_text(const sync::Progress& progress, const Zone& zone,
                          std::chrono::milliseconds elapsed) {
    const double seconds = std::max(static_cast<double>(elapsed.count()) / 1000, 0.001);
    const double done =
        std::clamp(static_cast<double>(progress.done.count()) /
                       static_cast<double>(std::max<std::int64_t>(progress.width.count(), 1)),
                   0.0, 1.0);
    std::string text = fmt::format(
        "{} to {}  {} rows  {} rows/s", format_local(zone.to_local(progress.window.begin)),
        format_local(zone.to_local(progress.period.end)), grouped(progress.rows),
        grouped(static_cast<std::uint64_t>(static_cast<double>(progress.rows) / seconds)));
    // By time read, which is a guess: rows are not spread evenly.
    if (done > 0.01 && done < 1) {
        text += "  " + left_text(seconds / done - seconds);
    }
    return text;
}

ProgressDisplay::ProgressDisplay(const Environment& environment,
                                 std::shared_ptr<spdlog::logger> log, Zone zone, bool quiet)
    : environment_(environment),
      log_(std::move(log)),
      zone_(std::move(zone)),
      quiet_(quiet),
      started_(environment.clock.monotonic()),
      last_shown_(started_) {}

ProgressDisplay::~ProgressDisplay() {
    clear();
}

bool ProgressDisplay::moving() const {
    return environment_.err_is_terminal && !environment_.no_color && !quiet_;
}

void ProgressDisplay::clear() {
    if (shown_) {
        environment_.err << erase_line << std::flush;
        shown_ = false;
    }
}

void ProgressDisplay::progress(const sync::Progress& progress) {
    if (quiet_) {
        return;
    }
    const Monotonic now = environment_.clock.monotonic();
    if (now - last_shown_ < (moving() ? line_interval : log_interval)) {
        return;
    }
    last_shown_ = now;
    const std::string text = progress_text(
        progress, zone_, std::chrono::floor<std::chrono::milliseconds>(now - started_));
    if (moving()) {
        environment_.err << erase_line << text << std::flush;
        shown_ = true;
    } else {
        log_->info("{}", text);
    }
}

void ProgressDisplay::waiting(const std::string& text) {
    if (moving()) {
        environment_.err << erase_line << text << std::flush;
        shown_ = true;
    } else if (!std::exchange(waiting_said_, true)) {
        log_->info("{}", text);
    }
}

void ProgressDisplay::waited() {
    waiting_said_ = false;
    clear();
}

void ProgressDisplay::debug(const std::string& line) {
    if (log_->should_log(spdlog::level::debug)) {
        clear();
        log_->debug("{}", line);
    }
}

void ProgressDisplay::info(const std::string& line) {
    clear();
    log_->info("{}", line);
}

void ProgressDisplay::warning(const std::string& line) {
    clear();
    log_->warn("{}", line);
}

}  // namespace mirror::daemon
