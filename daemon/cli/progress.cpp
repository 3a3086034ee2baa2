#include "daemon/cli/progress.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <ostream>
#include <utility>

#include <fmt/format.h>

#include "core/time/text.hpp"
#include "core/util/duration_text.hpp"
#include "daemon/cli/terminal_text.hpp"

namespace mirror::daemon {
namespace {

constexpr std::chrono::milliseconds line_interval(200);
constexpr std::chrono::seconds log_interval(10);

// The line is shown again so often while nothing is stored.
constexpr std::chrono::seconds refresh_interval(1);

// Measured for a shorter time, a rate says nothing about the rest.
constexpr std::chrono::seconds estimated_from(3);

constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

// A hundred years in seconds, which every integer here holds.
constexpr double longest_left = 3.2e9;

// Where the work is goes before the numbers, as exactly as there is room.
std::string with_place(const sync::Progress& progress, const Zone& zone, std::size_t columns,
                       const std::string& numbers) {
    const std::string which =
        progress.stream != nullptr ? fmt::format("{}: ", progress.stream->name) : std::string();
    const LocalTime at = zone.to_local(progress.at);
    for (const std::string& place : {format_local(at) + "  ", format_day(at) + "  "}) {
        std::string text = which + place + numbers;
        if (text.size() < columns) {
            return text;
        }
    }
    return fitted(which + numbers, columns);
}

}  // namespace

std::string progress_text(const sync::Progress& progress, const Zone& zone,
                          std::chrono::milliseconds elapsed, std::size_t columns) {
    const std::chrono::duration<double> measured = std::max(
        elapsed - progress.rate_from.after, Monotonic::duration(std::chrono::milliseconds(1)));
    // Rows that are going to be read again are taken back.
    const std::uint64_t since = std::min(progress.rate_from.rows, progress.rows);
    const auto rows = static_cast<double>(progress.rows);
    const double rate = static_cast<double>(progress.rows - since) / measured.count();
    const std::string speed = grouped(static_cast<std::uint64_t>(rate)) + " rows/s";
    if (!progress.expected) {
        return with_place(progress, zone, columns,
                          fmt::format("{}  {}", counted(progress.rows, "row"), speed));
    }
    // Rows may have come since they were counted.
    const std::uint64_t expected = std::max(*progress.expected, progress.rows);
    const double share = expected == 0 ? 1 : rows / static_cast<double>(expected);
    std::string text = fmt::format("{:.0f} %  {} of {}  {}", std::floor(share * 100),
                                   grouped(progress.rows), counted(expected, "row"), speed);
    if (measured >= estimated_from && rate > 0 && expected > progress.rows) {
        // Never "0 s left": something is.
        const double left =
            std::clamp(static_cast<double>(expected - progress.rows) / rate, 1.0, longest_left);
        text +=
            fmt::format("  {} left", duration_text(Seconds(static_cast<std::int64_t>(left + 0.5))));
    }
    return with_place(progress, zone, columns, text);
}

ProgressDisplay::ProgressDisplay(const boost::asio::any_io_executor& executor,
                                 const Environment& environment,
                                 std::shared_ptr<spdlog::logger> log, Zone zone, bool quiet)
    : timer_(executor),
      environment_(environment),
      log_(std::move(log)),
      zone_(std::move(zone)),
      quiet_(quiet),
      line_(environment, quiet),
      last_shown_(environment.clock.monotonic()) {}

void ProgressDisplay::progress(const sync::Progress& progress) {
    if (quiet_) {
        return;
    }
    const bool begins = !progress_;
    progress_ = progress;
    show();
    if (begins) {
        wait();
    }
}

void ProgressDisplay::progress_paused() {
    progress_.reset();
    waiting_ = false;
    timer_.cancel();
    clear();
}

void ProgressDisplay::wait() {
    timer_.expires_after(refresh_interval);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error && progress_) {
            show();
            wait();
        }
    });
}

void ProgressDisplay::show() {
    const Monotonic now = environment_.clock.monotonic();
    if (waiting_ || now - last_shown_ < (line_.is_visible() ? line_interval : log_interval)) {
        return;
    }
    last_shown_ = now;
    const Monotonic::duration elapsed = progress_->before + (now - progress_->since);
    const std::size_t columns = line_.is_visible() ? environment_.err_columns() : unlimited;
    const std::string text = progress_text(
        *progress_, zone_, std::chrono::floor<std::chrono::milliseconds>(elapsed), columns);
    if (line_.is_visible()) {
        line_.show(text);
    } else {
        log_->info("{}", text);
    }
}

void ProgressDisplay::waiting(const std::string& text) {
    waiting_ = true;
    if (line_.is_visible()) {
        line_.show(text);
    } else if (!std::exchange(waiting_said_, true)) {
        log_->info("{}", text);
    }
}

void ProgressDisplay::waited() {
    waiting_ = false;
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
