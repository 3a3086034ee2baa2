#include "daemon/metrics/status_page.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/util/printable.hpp"

namespace mirror::daemon {

namespace asio = boost::asio;

namespace {

constexpr Seconds counted_for(60);
// A page that somebody leaves open takes a fiftieth of one processor's time at the most.
constexpr int rests = 50;
constexpr Seconds reload_each(60);
constexpr Seconds reload_soon(2);

// Nothing is loaded, no script runs, and no other page shows it in a frame.
constexpr const char* policy =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

}  // namespace

PageMaker last_thirty_days_of(const ReportSource& source, const Clock& clock) {
    PageMaker maker;
    maker.count = [source, &clock](const std::function<bool()>& go_on) {
        ReportSource interruptible = source;
        interruptible.go_on = go_on;
        return count_for_report(interruptible, last_thirty_days, clock.utc());
    };
    maker.draw = [source, &clock](const std::optional<ReportCounts>& counts) {
        return draw_report(source, last_thirty_days, clock.utc(), counts, true);
    };
    return maker;
}

StatusPage::StatusPage(PageMaker maker, const Clock& clock, std::chrono::milliseconds patience)
    : maker_(std::move(maker)), clock_(clock), patience_(patience) {}

StatusPage::Counted StatusPage::counted() const {
    const std::lock_guard lock(mutex_);
    return counted_;
}

bool StatusPage::is_due() const {
    const Monotonic now = clock_.monotonic();
    const std::lock_guard lock(mutex_);
    const auto rest = std::max<Monotonic::duration>(counted_for, counted_.took * rests);
    return !counted_.counts || now - counted_.at >= rest;
}

// On a thread of its own. Those who wait for the same count find it here.
asio::awaitable<void> StatusPage::count() {
    if (!is_due()) {
        co_return;
    }
    Counted next;
    const Monotonic begin = clock_.monotonic();
    try {
        next.counts = maker_.count([this] { return !closing_; });
    } catch (const std::exception& error) {
        next.failed = printable(error.what());
    }
    next.at = clock_.monotonic();
    next.took = next.at - begin;
    const std::lock_guard lock(mutex_);
    counted_ = std::move(next);
}

asio::awaitable<void> StatusPage::wait_for_counts(Kind kind) {
    if (!is_due()) {
        co_return;
    }
    asio::awaitable<void> counting = count();
    if (kind == Kind::still) {
        co_await asio::co_spawn(counter_, std::move(counting), asio::use_awaitable);
        co_return;
    }
    const auto loop = co_await asio::this_coro::executor;
    const auto wait = std::make_shared<asio::steady_timer>(loop, patience_);
    asio::co_spawn(
        counter_, std::move(counting),
        asio::bind_executor(loop, [wait](const std::exception_ptr&) { wait->cancel(); }));
    boost::system::error_code counted_in_time;
    co_await wait->async_wait(asio::redirect_error(asio::use_awaitable, counted_in_time));
}

asio::awaitable<std::string> StatusPage::draw() {
    co_return maker_.draw(counted().counts);
}

asio::awaitable<HttpAnswer> StatusPage::answer(Kind kind) {
    co_await wait_for_counts(kind);
    std::string page;
    std::string failed = counted().failed;
    if (failed.empty()) {
        try {
            asio::awaitable<std::string> drawing = draw();
            page = co_await asio::co_spawn(drawer_, std::move(drawing), asio::use_awaitable);
        } catch (const std::exception& error) {
            failed = printable(error.what());
        }
    }
    if (!failed.empty()) {
        co_return HttpAnswer(500, failed + "\n");
    }
    HttpAnswer answer(200, std::move(page));
    answer.type = "text/html; charset=utf-8";
    answer.headers.emplace_back("Content-Security-Policy", policy);
    answer.headers.emplace_back("X-Content-Type-Options", "nosniff");
    answer.headers.emplace_back("Referrer-Policy", "no-referrer");
    answer.headers.emplace_back("Cache-Control", "no-store");
    if (kind == Kind::reloading) {
        const Seconds reload = is_due() ? reload_soon : reload_each;
        answer.headers.emplace_back("Refresh", std::to_string(reload.count()));
    }
    co_return answer;
}

}  // namespace mirror::daemon
