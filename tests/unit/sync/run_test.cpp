// `run` over days of trouble, on a clock that the tests own.

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "core/sync/metadata.hpp"
#include "tests/support/times.hpp"
#include "tests/unit/sync/live.hpp"

using namespace mirror;
using namespace mirror::tests;
using namespace std::chrono_literals;

namespace {

const Instant noon = live_noon;

copernica::ApiError no_answer() {
    return {copernica::ErrorKind::try_again, "connection refused"};
}

}  // namespace

TEST_CASE("run: follows the account, poll by poll") {
    Live world;
    world.follow_until(noon + 6h);
    world.check_caught_up();
    CHECK(world.store.runs.back().outcome == "stopped");
    CHECK(world.store.runs.back().written.inserted == world.store.rows.size());
    CHECK(world.log.warnings.empty());
    // A poll costs a request or three; reading again comes on top.
    CHECK(world.api.pages < 6 * 12 * 4);
}

TEST_CASE("run: a start in the future by the API's clock is told of, and waited for") {
    Live world;
    world.settings.start = world.settings.zone.to_local(noon + 2h);
    world.follow_until(noon + 1h);
    CHECK(world.store.covered.empty());
    const std::string told =
        "the configured start, 2026-11-23 14:00:00 (Europe/Amsterdam), is in the future by the "
        "API's "
        "clock";
    CHECK(world.store.facts["last_error"].starts_with(told));
    CHECK(count(world.log.warnings, told) == 1);
    CHECK(world.api.pages < 5);

    world.follow_until(noon + 6h);
    world.check_caught_up();
    CHECK(world.store.covered.windows().front().begin == noon + 2h);
    CHECK(world.store.facts["last_error"].empty());
}

TEST_CASE("run: an outage of hours is one line, reminders, one line, and few requests") {
    Live world;
    std::uint64_t tried = 0;
    world.api.on_page = [&](const copernica::PageQuery&) {
        if (world.clock.now() >= noon + 1h && world.clock.now() < noon + 6h) {
            ++tried;
            throw no_answer();
        }
    };
    world.api.on_identity = [&] { world.api.on_page({}); };
    world.follow_until(noon + 5h);
    CHECK(world.store.facts[sync::metadata::last_error].find("connection refused") !=
          std::string::npos);
    CHECK_FALSE(world.store.facts[sync::metadata::failing_since].empty());
    CHECK(count(world.log.warnings, "the API does not answer: connection refused") == 1);
    // One an hour, or a pause later.
    const std::size_t reminders = count(world.log.warnings, "has not answered for");
    CHECK(reminders >= 3);
    CHECK(reminders <= 4);
    CHECK(world.log.warnings.size() == 1 + reminders);
    // Pauses grow to five minutes, of which each is a share.
    CHECK(tried > 4 * 12);
    CHECK(tried < 4 * 60);

    // The next one begins in the same outage, and lives to see its end.
    world.follow_until(noon + 8h);
    world.check_caught_up();
    CHECK(count(world.log.infos, "the API answers again, after ") == 1);
    CHECK(world.store.facts[sync::metadata::last_error].empty());
    CHECK(world.store.facts[sync::metadata::failing_since].empty());
}

TEST_CASE("run: a refused token is asked again every 15 minutes, and taken when it is right") {
    Live world;
    std::uint64_t refused = 0;
    world.settings.token_advice = "put a new one into token.txt";
    world.api.on_page = [&](const copernica::PageQuery&) {
        if (world.clock.now() >= noon + 1h && world.clock.now() < noon + 4h) {
            ++refused;
            throw copernica::ApiError(copernica::ErrorKind::token_refused, "Invalid access token",
                                      401);
        }
    };
    world.api.on_identity = [&] { world.api.on_page({}); };
    world.follow_until(noon + 3h);
    // Twice in the first poll that meets it at the most, then once in 15 minutes.
    CHECK(refused >= 8);
    CHECK(refused <= 10);
    CHECK(world.store.facts[sync::metadata::last_error] ==
          "Invalid access token; put a new one into token.txt");
    CHECK(count(world.log.warnings, "Invalid access token") == 1);
    world.follow_until(noon + 6h);
    world.check_caught_up();
    CHECK(world.store.facts[sync::metadata::last_error].empty());
}

TEST_CASE("run: the token that was put in is asked whose it is") {
    Live world;
    world.api.on_page = [&](const copernica::PageQuery&) {
        if (world.clock.now() >= noon + 1h && world.clock.now() < noon + 2h) {
            throw copernica::ApiError(copernica::ErrorKind::token_refused, "Invalid access token",
                                      401);
        }
    };
    world.api.on_identity = [&] { world.api.on_page({}); };
    world.follow_until(noon + 50min);
    const auto before = world.api.identities;
    world.follow_until(noon + 3h);
    // At the start, refused at each try, and once more when it is right.
    CHECK(world.api.identities >= before + 5);
    world.check_caught_up();
}

TEST_CASE("run: the machine sleeps for a night") {
    Live world;
    bool slept = false;
    world.api.on_page = [&](const copernica::PageQuery&) {
        if (!slept && world.clock.now() >= noon + 2h) {
            slept = true;
            world.clock.suspend(std::chrono::hours(9));
        }
    };
    world.follow_until(noon + 12h);
    CHECK(slept);
    world.check_caught_up();
}

TEST_CASE("run: this machine's clock jumps, forth and back, by hours and by months") {
    for (const Seconds error :
         {Seconds(3 * 3600), Seconds(-3 * 3600), Seconds(90 * 86400), Seconds(-90 * 86400)}) {
        CAPTURE(error.count());
        Live world;
        world.api.on_page = [&](const copernica::PageQuery&) {
            const Instant now = world.clock.now();
            world.clock.set_error(now >= noon + 2h && now < noon + 4h ? error : Seconds(0));
        };
        world.follow_until(noon + 3h + 30min);
        world.check_caught_up();
        world.follow_until(noon + 6h);
        world.check_caught_up();
    }
}

TEST_CASE("run: what cannot be read is told of, and asked for once an hour, until it is read") {
    // An account that has been silent for hours: a poll would like to reach back to its newest row.
    World world(noon);
    world.settings.start = local("2026-11-21 00:00:00");
    world.settings.give_up_after.reset();
    world.settings.poll_interval = Seconds(60);
    for (Instant at = noon - 36h; at < noon - 5h; at += 10min) {
        world.model.add(at);
    }
    const Window bad{noon - 2h, noon - 2h + 1s};
    std::uint64_t refused = 0;
    const auto refuse = [&](const copernica::PageQuery& query) {
        if (query.begintime < world.model.zone.to_local(bad.end) - 1s &&
            query.endtime > world.model.zone.to_local(bad.begin)) {
            ++refused;
            throw copernica::ApiError(copernica::ErrorKind::request_refused, "not that second",
                                      400);
        }
    };
    const auto gap = [&] {
        WindowSet missing(Window{utc("2026-11-20 23:00:00"), noon});
        missing.subtract(world.store.covered);
        return missing;
    };
    const auto reason = [&] {
        const auto& unread = world.store.runs.back().unread;
        return unread.empty() ? "" : unread.front().reason;
    };
    SUBCASE("from the first poll on") {
        world.api.on_page = refuse;
        world.follow_until(noon + 3h);
        CHECK(gap().contains(bad));
        CHECK(gap().width() <= 3s);
    }
    SUBCASE("where it was covered before") {
        world.api.on_page = [&](const copernica::PageQuery& query) {
            if (world.clock.now() >= noon + 30min) {
                refuse(query);
            }
        };
        world.follow_until(noon + 3h);
        CHECK(gap().empty());
    }
    CHECK(reason().find("not that second") != std::string::npos);
    CHECK(world.store.facts[sync::metadata::last_error].find("not that second") !=
          std::string::npos);
    // Polls went on succeeding.
    const std::string& succeeded = world.store.facts[sync::metadata::last_success];
    CHECK(succeeded >= sync::metadata::seconds_text(noon + 3h - 5min));
    // Each time it takes some halvings to find the second, and one second beside it may share its
    // fate.
    CHECK(count(world.log.warnings, "could not be fetched") > 0);
    CHECK(count(world.log.warnings, "could not be fetched") <= 2 * 4);
    CHECK(refused <= 4 * 40);

    // What was told once is in the row of the run, whatever is asked meanwhile.
    world.follow_until(noon + 3h + 20min);
    CHECK(reason().find("not that second") != std::string::npos);

    world.api.on_page = nullptr;
    world.follow_until(noon + 5h);
    CHECK(gap().empty());
    CHECK(world.store.runs.back().unread.empty());
    CHECK(world.store.facts[sync::metadata::last_error].empty());
    CHECK(world.difference() == "");
}

TEST_CASE("run: what fails anew does not put off what waits for its second try") {
    Live world;
    const auto covers = [&](const copernica::PageQuery& query, Instant second) {
        return query.begintime < world.model.zone.to_local(second) &&
               query.endtime > world.model.zone.to_local(second);
    };
    const Instant once_bad = noon - 2h;
    world.api.on_page = [&](const copernica::PageQuery& query) {
        bool bad = world.clock.now() < noon + 30min && covers(query, once_bad);
        for (Instant later = noon; later < noon + 5h; later += 45min) {
            bad = bad || covers(query, later);
        }
        if (bad) {
            throw copernica::ApiError(copernica::ErrorKind::request_refused, "not that second",
                                      400);
        }
    };
    world.follow_until(noon + 5h);
    CHECK(world.store.covered.contains({once_bad - 2s, once_bad + 2s}));
    CHECK_FALSE(world.store.covered.contains({noon - 2s, noon + 2s}));
}

TEST_CASE("run: a week of the past that keeps failing holds up nothing else") {
    for (const int status : {503, 200}) {
        CAPTURE(status);
        Live world;
        const Window bad{noon - 24h, noon - 12h};
        Seconds most_behind{0};
        std::uint64_t failed = 0;
        world.api.on_page = [&](const copernica::PageQuery& query) {
            if (!world.store.covered.empty()) {
                const Instant mark = world.store.covered.windows().back().end;
                most_behind = std::max(most_behind, world.clock.now() - mark);
            }
            if (query.begintime < world.model.zone.to_local(bad.end) - 1s &&
                query.endtime > world.model.zone.to_local(bad.begin)) {
                ++failed;
                throw copernica::ApiError(status == 200 ? copernica::ErrorKind::invalid_response
                                                        : copernica::ErrorKind::try_again,
                                          "the server does not like this period", status);
            }
        };
        world.follow_until(noon + 3h);
        CHECK(failed > 10);
        CHECK(most_behind <= world.settings.poll_interval + 15s);
        // The API answers, and no warning says that it does not.
        CHECK(count(world.log.warnings, "the API ") == 0);
        CHECK(world.difference() == "");
        world.api.on_page = nullptr;
        world.follow_until(noon + 6h);
        world.check_caught_up();
    }
}

TEST_CASE("run: one refusal that `identity` does not share does not pause") {
    Live world;
    world.follow_until(noon + 1h);
    bool refused = false;
    world.api.on_page = [&](const copernica::PageQuery&) {
        if (!std::exchange(refused, true)) {
            throw copernica::ApiError(copernica::ErrorKind::token_refused, "Forbidden", 403);
        }
    };
    world.follow_until(noon + 1h + 6min);
    world.check_caught_up();
    CHECK(count(world.log.warnings, "Forbidden") == 0);
    CHECK(world.store.facts[sync::metadata::last_error].empty());
}

TEST_CASE("run: another command's success does not hide what goes on failing here") {
    Live world;
    bool told = false;
    const Window bad{noon - 2h, noon - 2h + 1s};
    world.api.on_page = [&](const copernica::PageQuery& query) {
        if (!told && world.clock.now() >= noon + 30min) {
            told = true;
            world.store.facts[sync::metadata::last_error] = "";
            world.store.facts[sync::metadata::failing_since] = "";
        }
        if (query.begintime < world.model.zone.to_local(bad.end) - 1s &&
            query.endtime > world.model.zone.to_local(bad.begin)) {
            throw copernica::ApiError(copernica::ErrorKind::request_refused, "not that second",
                                      400);
        }
    };
    world.follow_until(noon + 50min);
    CHECK(told);
    CHECK(world.store.facts[sync::metadata::last_error].find("not that second") !=
          std::string::npos);
    CHECK_FALSE(world.store.facts[sync::metadata::failing_since].empty());
}

TEST_CASE("run: once a week the whole account is counted, and what is missing found") {
    Live world;
    world.settings.poll_interval = Seconds(1800);
    world.settings.recheck_ages.clear();  // so that nothing else finds it
    world.follow_until(noon + 24h);
    world.check_caught_up();
    const std::string first = world.store.facts[sync::metadata::counted_at];
    CHECK_FALSE(first.empty());
    // A row is lost from what is covered.
    const auto lost = world.store.rows.begin();
    const std::int64_t id = lost->first;
    world.store.rows.erase(lost);

    world.follow_until(noon + 24h * 6);
    CHECK_FALSE(world.store.rows.contains(id));
    CHECK(world.store.facts[sync::metadata::counted_at] == first);

    world.follow_until(noon + 24h * 9);
    CHECK(world.store.rows.contains(id));
    CHECK(world.store.facts[sync::metadata::counted_at] != first);
    world.check_caught_up();
}

TEST_CASE("run: an API that counts nothing holds up neither polls nor rechecks") {
    World world(noon);
    for (int row = 0; row < 50; ++row) {
        world.model.add(noon - 24h * 3 + row * 1h);
    }
    world.settings.start = local("2026-05-25 00:00:00");
    // It counts short periods, and says 0 for long ones.
    world.api.distort = [](const copernica::PageQuery& query, copernica::Page& page) {
        if (query.total && query.endtime - query.begintime > 24h * 2 && query.limit == 1) {
            page.rows.clear();
            page.count = 0;
            page.total = 0;
        }
    };
    world.follow_until(noon + 1h);
    const std::uint64_t pages = world.api.pages;
    world.follow_until(noon + 90min);
    CHECK(world.api.pages - pages < 30 * 4);
    REQUIRE_FALSE(world.store.covered.empty());
    const Instant covered_to = world.store.covered.windows().back().end;
    CHECK(((noon + 90min) - covered_to).count() <= 120);
}
