// The page of `run`: how complete the file is at each look, and counts when they are there.
#include "daemon/metrics/status_page.hpp"

#include <atomic>
#include <chrono>
#include <exception>
#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include "tests/support/times.hpp"
#include "tests/unit/sync/fake_clock.hpp"

using namespace mirror;
using namespace mirror::daemon;
using namespace std::chrono_literals;
using mirror::tests::FakeClock;
using mirror::tests::utc;

namespace {

constexpr auto at_once = 0ms;
constexpr auto for_ever = std::chrono::milliseconds(1h);

// Says of each count how many there were before it, and when it was.
struct Scene {
    Scene() {
        maker.count = [this](const std::function<bool()>&) {
            ++counts;
            clock.advance(takes);
            return ReportCounts{clock.utc(), {}};
        };
        maker.draw = [this](const std::optional<ReportCounts>& counted) {
            ++drawn;
            return counted ? "counted " + std::to_string(counts) : std::string("not counted");
        };
    }

    HttpAnswer ask(StatusPage& page, StatusPage::Kind kind) {
        std::optional<HttpAnswer> answer;
        auto asking = page.answer(kind);
        boost::asio::co_spawn(loop, std::move(asking),
                              [&](const std::exception_ptr& error, HttpAnswer got) {
                                  REQUIRE_FALSE(error);
                                  answer = std::move(got);
                              });
        loop.restart();
        while (!answer) {
            loop.run_one();
        }
        return *answer;
    }
    HttpAnswer look(StatusPage& page) { return ask(page, StatusPage::Kind::reloading); }
    HttpAnswer keep(StatusPage& page) { return ask(page, StatusPage::Kind::still); }

    FakeClock clock{utc("2026-11-30 12:00:00")};
    std::chrono::milliseconds takes{0};
    std::atomic<int> counts{0};
    std::atomic<int> drawn{0};
    boost::asio::io_context loop;
    PageMaker maker;
};

std::string header_of(const HttpAnswer& answer, const std::string& name) {
    for (const auto& [key, value] : answer.headers) {
        if (key == name) {
            return value;
        }
    }
    return "";
}

}  // namespace

TEST_CASE("status page: drawn at each look, counted once a minute") {
    Scene scene;
    StatusPage page(scene.maker, scene.clock, for_ever);
    const HttpAnswer first = scene.look(page);
    CHECK(first.status == 200);
    CHECK(first.body == "counted 1");
    CHECK(header_of(first, "Refresh") == "60");
    scene.clock.advance(59'999ms);
    CHECK(scene.look(page).body == "counted 1");
    CHECK(header_of(scene.keep(page), "Refresh").empty());
    CHECK(scene.counts == 1);
    CHECK(scene.drawn == 3);
    scene.clock.advance(1ms);
    CHECK(scene.keep(page).body == "counted 2");
    CHECK(scene.counts == 2);
}

TEST_CASE("status page: what takes long to count is counted less often") {
    Scene scene;
    scene.takes = 5s;
    StatusPage page(scene.maker, scene.clock, for_ever);
    CHECK(scene.look(page).body == "counted 1");
    scene.clock.advance(249'999ms);
    CHECK(scene.look(page).body == "counted 1");
    scene.clock.advance(1ms);
    CHECK(scene.look(page).body == "counted 2");
}

TEST_CASE("status page: a look does not wait for a count that takes long") {
    Scene scene;
    std::promise<void> go;
    std::shared_future<void> gone(go.get_future());
    scene.maker.count = [&](const std::function<bool()>&) {
        gone.wait();
        ++scene.counts;
        return ReportCounts{};
    };
    StatusPage page(scene.maker, scene.clock, at_once);
    // Two looks, one count.
    for (int look = 0; look < 2; ++look) {
        const HttpAnswer early = scene.look(page);
        CHECK(early.status == 200);
        CHECK(early.body == "not counted");
        CHECK(header_of(early, "Refresh") == "2");
    }
    go.set_value();
    // A page that stays as it is waits.
    CHECK(scene.keep(page).body == "counted 1");
    const HttpAnswer later = scene.look(page);
    CHECK(later.body == "counted 1");
    CHECK(header_of(later, "Refresh") == "60");
    CHECK(scene.counts == 1);
    // The older counts are shown until there are new ones.
    std::promise<void> again;
    gone = again.get_future().share();
    scene.clock.advance(60s);
    const HttpAnswer stale = scene.look(page);
    CHECK(stale.body == "counted 1");
    CHECK(header_of(stale, "Refresh") == "2");
    again.set_value();
    CHECK(scene.keep(page).body == "counted 2");
}

TEST_CASE("status page: why there is none, and another attempt at the next look") {
    Scene scene;
    bool fails = true;
    const auto count = scene.maker.count;
    scene.maker.count = [&](const std::function<bool()>& go_on) {
        if (fails) {
            throw std::runtime_error("the file\x1b is gone");
        }
        return count(go_on);
    };
    StatusPage page(scene.maker, scene.clock, for_ever);
    const HttpAnswer failed = scene.look(page);
    CHECK(failed.status == 500);
    CHECK(failed.body == "the file\\u001b is gone\n");
    CHECK(scene.drawn == 0);
    fails = false;
    CHECK(scene.look(page).body == "counted 1");
    // The same for what is read at each look.
    scene.maker.draw = [](const std::optional<ReportCounts>&) -> std::string {
        throw std::runtime_error("locked");
    };
    StatusPage other(scene.maker, scene.clock, for_ever);
    CHECK(scene.keep(other).status == 500);
    CHECK(scene.keep(other).body == "locked\n");
}

TEST_CASE("status page: a count ends when the program does") {
    Scene scene;
    std::promise<void> begun;
    scene.maker.count = [&](const std::function<bool()>& go_on) -> ReportCounts {
        begun.set_value();
        while (go_on()) {
            std::this_thread::yield();
        }
        throw std::runtime_error("interrupted");
    };
    StatusPage page(scene.maker, scene.clock, at_once);
    CHECK(scene.look(page).body == "not counted");
    begun.get_future().wait();
    page.close();
    CHECK(scene.keep(page).status == 500);
}
