#include "daemon/cli/waiting_notice.hpp"

#include <functional>
#include <sstream>

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include "daemon/process/environment.hpp"
#include "tests/support/times.hpp"
#include "tests/unit/daemon/captured_environment.hpp"
#include "tests/unit/sync/fake_clock.hpp"

using namespace mirror;
using namespace mirror::daemon;
using namespace std::chrono_literals;

namespace {

struct Setup : test::CapturedEnvironment {
    explicit Setup(bool is_terminal, bool no_color = false) {
        environment.err_is_terminal = is_terminal;
        environment.no_color = no_color;
    }

    std::shared_ptr<spdlog::logger> log = std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(err));
    boost::asio::io_context loop;
    ProgressDisplay display{loop.get_executor(), environment, log, Zone("Europe/Amsterdam"), false};
    // An hour between the notices: there is one.
    WaitingNotice notice{loop.get_executor(), display, "api.example.com", 0ms, 1h};
};

}  // namespace

TEST_CASE("waiting: what is said") {
    CHECK(waiting_text(6s, std::nullopt) == "waiting for the API for 6 s");
    CHECK(waiting_text(12s, "HTTP status 503") ==
          "waiting for the API for 12 s; last: HTTP status 503");
}

TEST_CASE("waiting: before the first answer, a terminal is told what is connected to") {
    CHECK(connecting_text("api.example.com", 2s) == "connecting to api.example.com … (2 s)");
    Setup setup(true);
    setup.notice.request_begun();
    setup.loop.run_one();
    CHECK(setup.err.str().find("connecting to api.example.com … (0 s)") != std::string::npos);
    setup.notice.request_ended(copernica::RequestOutcome::ok, 1ns);
    setup.notice.request_begun();
    setup.loop.restart();
    setup.loop.run_one();
    setup.loop.run_one();
    CHECK(setup.err.str().find("waiting for the API for 0 s") != std::string::npos);
    setup.notice.close();
    setup.loop.run();
}

TEST_CASE("waiting: a terminal is told, with why the last try failed, until there is an answer") {
    for (const bool no_color : {false, true}) {
        Setup setup(true, no_color);
        setup.notice.request_begun();
        setup.notice.request_ended(copernica::RequestOutcome::failed, 1ns);
        setup.notice.request_failed("no answer to the TLS handshake");
        setup.notice.request_begun();
        setup.loop.run_one();
        CHECK(setup.err.str().find("waiting for the API for 0 s; last: no answer to the TLS "
                                   "handshake") != std::string::npos);
        setup.notice.request_ended(copernica::RequestOutcome::ok, 1ns);
        setup.loop.run();  // nothing is left to wait for
        const std::size_t said = setup.err.str().size();
        setup.notice.close();
        setup.notice.request_begun();
        setup.loop.restart();
        setup.loop.run();
        CHECK(setup.err.str().size() == said);
    }
}

TEST_CASE("waiting: progress does not take its place") {
    for (const bool no_color : {false, true}) {
        CAPTURE(no_color);
        std::ostringstream out;
        std::ostringstream err;
        tests::FakeClock clock(tests::utc("2026-11-23 16:00:00"));
        Environment environment{out, err, clock};
        environment.err_is_terminal = true;
        environment.no_color = no_color;
        boost::asio::io_context loop;
        ProgressDisplay display(loop.get_executor(), environment,
                                std::make_shared<spdlog::logger>(
                                    "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(err)),
                                Zone("Europe/Amsterdam"), false);
        const auto shown = [&](const std::function<void()>& act) {
            err.str("");
            clock.advance(1min);
            act();
            return err.str();
        };
        sync::Progress progress;
        progress.rows = 1'234'567;
        const auto report = [&] { display.progress(progress); };
        const auto says = [](const std::string& text, const char* part) {
            return text.find(part) != std::string::npos;
        };
        CHECK(says(shown(report), "1,234,567 rows"));
        CHECK(says(shown([&] { display.waiting("waiting for the API"); }), "waiting for the API"));
        CHECK(shown(report).empty());
        display.waited();
        CHECK(says(shown(report), "1,234,567 rows"));
        display.waiting("waiting for the API");
        display.progress_paused();
        CHECK(says(shown(report), "1,234,567 rows"));
        display.progress_paused();  // its timer keeps no loop running
    }
}

TEST_CASE("waiting: nothing is said if nobody watches") {
    Setup setup(false);
    setup.notice.request_begun();
    setup.loop.run();
    CHECK(setup.err.str().empty());
}
