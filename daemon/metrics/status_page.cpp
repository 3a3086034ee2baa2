#include "daemon/metrics/status_page.hpp"

#include <chrono>
#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/util/printable.hpp"

namespace mirror::daemon {

namespace asio = boost::asio;

namespace {

constexpr Seconds drawn_for(60);

// Nothing is loaded, no script runs, and no other page shows it in a frame.
constexpr const char* policy =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

}  // namespace

StatusPage::StatusPage(ReportSource source, const Clock& clock)
    : source_(std::move(source)), clock_(clock) {
    source_.go_on = [this] { return !closing_; };
}

asio::awaitable<std::string> StatusPage::draw() {
    const Monotonic now = clock_.monotonic();
    if (!drawn_ || now - drawn_->at >= drawn_for) {
        drawn_ = Drawn{now, draw_report(source_, last_thirty_days, clock_.utc(), true)};
    }
    co_return drawn_->page;
}

asio::awaitable<HttpAnswer> StatusPage::answer(Reload reload) {
    std::string page;
    std::string failed;
    try {
        asio::awaitable<std::string> drawing = draw();
        page = co_await asio::co_spawn(drawer_, std::move(drawing), asio::use_awaitable);
    } catch (const std::exception& error) {
        failed = printable(error.what());
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
    if (reload == Reload::each_minute) {
        answer.headers.emplace_back("Refresh", std::to_string(drawn_for.count()));
    }
    co_return answer;
}

}  // namespace mirror::daemon
