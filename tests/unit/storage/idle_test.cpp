// What `run` writes while nothing happens: a session on a real file, against the model of the API.
#include <algorithm>
#include <filesystem>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <doctest/doctest.h>

#include "core/sync/session.hpp"
#include "storage/sqlite_mirror.hpp"
#include "tests/support/times.hpp"
#include "tests/unit/storage/fixture.hpp"
#include "tests/unit/sync/world.hpp"

using namespace mirror;
namespace asio = boost::asio;

namespace {

// Notes the log's size after each poll, and ends the run after enough of them.
class Polls final : public sync::Observer {
  public:
    Polls(std::filesystem::path log, std::size_t most, asio::cancellation_signal& end)
        : log_(std::move(log)), most_(most), end_(end) {}

    void following(const sync::Following& state) override {
        if (state.last_success) {
            sizes.push_back(std::filesystem::file_size(log_));
        }
        if (sizes.size() >= most_) {
            end_.emit(asio::cancellation_type::terminal);
        }
    }

    std::vector<std::uintmax_t> sizes;

  private:
    std::filesystem::path log_;
    std::size_t most_;
    asio::cancellation_signal& end_;
};

}  // namespace

TEST_CASE("an idle poll writes at most 16 kB to the log") {
    const storage::testing::TemporaryDirectory directory;
    const auto path = directory / "m.db";
    tests::World world(tests::utc("2026-11-23 16:00:00"));
    // With a row of the last days, each poll reads from there on; without one, what is due for a
    // recheck is read by itself.
    std::chrono::minutes between(50);
    SUBCASE("a row five days ago") {}
    SUBCASE("no row for two weeks") {
        between = std::chrono::minutes(20);
    }
    for (int row = 0; row < 500; ++row) {
        world.model.add(tests::utc("2026-11-01 00:00:00") + row * between);
    }
    world.settings.start = tests::local("2026-11-01 00:00:00");
    world.settings.give_up_after.reset();
    storage::SqliteMirror mirror(storage::testing::options_for(path), world.clock);
    world.clock.busy = [&mirror] {
        const storage::Activity seen = mirror.activity();
        return seen.done < seen.asked;
    };
    asio::cancellation_signal end;
    // Some 45 minutes: what is read again at 15 minutes is due several times.
    Polls polls(path.string() + "-wal", 48, end);
    sync::Session session(world.loop.get_executor(), world.api, mirror.store(streams().front()),
                          world.clock, polls, world.settings);
    asio::co_spawn(world.loop, session.run(),
                   asio::bind_cancellation_slot(end.slot(), [](const std::exception_ptr&) {}));
    world.loop.run();
    REQUIRE(polls.sizes.size() >= 48);
    // Beside the first ones the past is filled, and everything is counted.
    constexpr std::size_t first_idle = 10;
    std::uintmax_t most = 0;
    for (std::size_t i = first_idle; i < polls.sizes.size(); ++i) {
        REQUIRE(polls.sizes[i] >= polls.sizes[i - 1]);  // no checkpoint began the log anew
        most = std::max(most, polls.sizes[i] - polls.sizes[i - 1]);
    }
    MESSAGE("bytes written by an idle poll: "
            << most << " at the most, "
            << (polls.sizes.back() - polls.sizes[first_idle - 1]) /
                   (polls.sizes.size() - first_idle)
            << " in the mean");
    CHECK(most > 0);
    CHECK(most <= 16'000);
    CHECK(mirror.activity().done > 0);
}
