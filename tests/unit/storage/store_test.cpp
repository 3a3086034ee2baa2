// The awaitable face: order, errors, cancellation, and ends at awkward moments.
#include <filesystem>
#include <optional>
#include <thread>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include "storage/errors.hpp"
#include "storage/sqlite_mirror.hpp"
#include "tests/unit/storage/fixture.hpp"

using namespace mirror;
using namespace mirror::storage;
using namespace mirror::storage::testing;
namespace asio = boost::asio;

namespace {

// Rethrows what the coroutine threw.
void rethrow(std::exception_ptr error) {
    if (error) {
        std::rethrow_exception(error);
    }
}

asio::awaitable<void> use_every_call(SqliteStore& store, std::thread::id loop) {
    co_await store.claim_account("34", "Development");
    auto windows = whole(noon_window(0, 60), rows(1, 50));
    const sync::Written written = co_await store.commit(std::move(windows), noon(60));
    CHECK(written.inserted == 50);
    CHECK(std::this_thread::get_id() == loop);
    const WindowSet covered = co_await store.coverage(0);
    CHECK(covered == WindowSet(noon_window(0, 60)));
    WindowSet away(noon_window(30, 60));
    co_await store.uncover(std::move(away));
    const WindowSet left = co_await store.coverage(0);
    CHECK(left == WindowSet(noon_window(0, 30)));
    const LocalTime begin(Seconds(0));
    const std::uint64_t rows_counted =
        co_await store.count(begin, begin + std::chrono::hours(600000));
    CHECK(rows_counted == 50);
    const auto newest = co_await store.newest_rows(begin + std::chrono::hours(600000));
    CHECK(newest.has_value());
    sync::RunRecord run;
    run.kind = "sync";
    run.outcome = "done";
    co_await store.record_run(std::move(run));
    co_await store.set_fact("last_success", "now");
    const auto fact = co_await store.fact("last_success");
    CHECK(fact == "now");
    std::map<std::string, std::string> several{{"last_success", "later"}, {"last_error", ""}};
    co_await store.set_facts(std::move(several));
    const auto changed = co_await store.fact("last_success");
    CHECK(changed == "later");
    const auto unknown = co_await store.fact("unknown");
    CHECK_FALSE(unknown.has_value());
}

asio::awaitable<void> claim(SqliteStore& store, std::string id, std::string name = "name") {
    co_await store.claim_account(std::move(id), std::move(name));
}

asio::awaitable<void> commit_rows(SqliteStore& store, std::uint64_t& inserted,
                                  std::int64_t first = 1, std::int64_t count = 50) {
    auto windows = whole(noon_window(first, first + count), rows(first, first + count - 1));
    const sync::Written written = co_await store.commit(std::move(windows), noon(first + count));
    inserted = written.inserted;
}

}  // namespace

TEST_CASE("every call of the store, from a coroutine") {
    TemporaryDirectory directory;
    SystemClock clock;
    asio::io_context loop;
    SqliteMirror mirror(options_for(directory / "m.db"), clock);
    SqliteStore& store = mirror.store(impressions);
    asio::co_spawn(loop, use_every_call(store, std::this_thread::get_id()), rethrow);
    loop.run();
}

TEST_CASE("a long statement is seen to make progress") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    {
        MirrorFile file(options_for(path), noon());
        for (std::int64_t first = 1; first < 30'000; first += 3'000) {
            file.writer(impressions)
                .commit(whole(noon_window(first, first + 3'000), rows(first, first + 2'999)),
                        noon(40'000), at(noon(40'000)));
        }
    }
    SystemClock clock;
    asio::io_context loop;
    int opening = 0;
    MirrorOptions options = options_for(path);
    options.indexes.insert("profile");
    SqliteMirror mirror(std::move(options), clock, [&] { ++opening; });
    SqliteStore& store = mirror.store(impressions);
    const Activity before = mirror.activity();
    CHECK(before.asked == 0);
    CHECK(before.done == 0);
    const int opened = opening;
    asio::co_spawn(loop, claim(store, "34"), rethrow);
    loop.run();
    const Activity after = mirror.activity();
    CHECK(after.asked == 1);
    CHECK(after.done == 1);
    CHECK(after.steps > before.steps + 10);  // an index was built
    CHECK(opening == opened);                // the file was open by then
}

TEST_CASE("a checkpoint is seen to make progress") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    SystemClock clock;
    asio::io_context loop;
    SqliteMirror mirror(options_for(path), clock);
    SqliteStore& store = mirror.store(impressions);
    asio::co_spawn(loop, claim(store, "34"), rethrow);
    loop.run();
    // During a read transaction, the log grows; then one commit puts all of it into the file.
    std::optional<SQLite::Database> reader;
    reader.emplace(path.string(), SQLite::OPEN_READONLY);
    reader->exec("BEGIN");
    reader->execAndGet("SELECT count(*) FROM impressions");
    for (std::int64_t first = 1; first < 30'000; first += 3'000) {
        std::uint64_t inserted = 0;
        asio::co_spawn(loop, commit_rows(store, inserted, first, 3'000), rethrow);
        loop.restart();
        loop.run();
    }
    reader.reset();
    const auto size = std::filesystem::file_size(path);
    const Activity before = mirror.activity();
    asio::co_spawn(loop, claim(store, "34", "renamed"), rethrow);
    loop.restart();
    loop.run();
    const auto pages = (std::filesystem::file_size(path) - size) / 4096;
    CHECK(pages > 500);
    CHECK(mirror.activity().steps >= before.steps + pages);
}

TEST_CASE("errors reach the caller with their type") {
    TemporaryDirectory directory;
    SystemClock clock;
    asio::io_context loop;
    SqliteMirror mirror(options_for(directory / "m.db"), clock);
    SqliteStore& store = mirror.store(impressions);
    asio::co_spawn(loop, claim(store, "34"), rethrow);
    loop.run();
    loop.restart();
    asio::co_spawn(loop, claim(store, "35"), rethrow);
    CHECK_THROWS_AS(loop.run(), OtherAccount);
}

TEST_CASE("a call at hand is finished and answered when its coroutine is cancelled") {
    TemporaryDirectory directory;
    SystemClock clock;
    asio::io_context loop;
    SqliteMirror mirror(options_for(directory / "m.db"), clock);
    SqliteStore& store = mirror.store(impressions);
    asio::cancellation_signal signal;
    std::uint64_t inserted = 0;
    asio::co_spawn(loop, commit_rows(store, inserted),
                   asio::bind_cancellation_slot(signal.slot(), rethrow));
    loop.poll_one();  // starts the coroutine, which hands its rows over
    signal.emit(asio::cancellation_type::all);
    loop.run();
    CHECK(inserted == 50);
}

TEST_CASE("a store may end before its caller has the answer") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    SystemClock clock;
    asio::io_context loop;
    std::uint64_t inserted = 0;
    {
        SqliteMirror mirror(options_for(path), clock);
        SqliteStore& store = mirror.store(impressions);
        asio::co_spawn(loop, commit_rows(store, inserted), rethrow);
        loop.poll_one();
    }
    CHECK(ask(path, "SELECT count(*) FROM impressions") == "50");
    SUBCASE("who gets it then") {
        loop.run();
        CHECK(inserted == 50);
    }
    SUBCASE("or never") {
        CHECK(inserted == 0);
    }
}
