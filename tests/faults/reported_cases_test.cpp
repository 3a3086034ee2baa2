// What public bug reports of other programs of this kind tell of, each tried here on virtual time.
// docs/completeness.md lists them.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/copernica/errors.hpp"
#include "core/sync/errors.hpp"
#include "core/time/text.hpp"
#include "tests/faults/small_account.hpp"
#include "tests/simulator/answer.hpp"
#include "tests/simulator/generate.hpp"

using namespace mirror;
using namespace mirror::faults;
using namespace std::chrono_literals;
using simulator::Fault;
using simulator::Order;
using soak::Trouble;

namespace {

constexpr Instant present{Seconds(1'790'000'000)};
constexpr Seconds day = 24h;

// A mirror of an account with a history, and an API with one habit.
struct Reported {
    explicit Reported(Order order = Order::by_time) {
        world.settings.start = world.settings.zone.to_local(present - 60 * day);
        world.behaviour.order = order;
    }

    void add(Instant at) { world.account.add(maker.make(next_id++, at, 400)); }
    void add_every(Seconds pause, Instant from, Instant to) {
        for (Instant at = from; at < to; at += pause) {
            add(at);
        }
    }

    // What happens to each request for impressions.
    void set_habit(std::function<Trouble(const simulator::Request&)> habit) {
        world.trouble = [habit = std::move(habit)](const simulator::Request& request) {
            return request.call == simulator::Call::impressions ? habit(request) : Trouble{};
        };
    }

    // The same, for habits that are one fault, or none.
    void set_fault(std::function<std::optional<Fault>(const simulator::Request&)> fault_of) {
        set_habit([fault_of = std::move(fault_of)](const simulator::Request& request) {
            Trouble trouble;
            trouble.fault = fault_of(request);
            return trouble;
        });
    }

    std::string ask(const std::string& query) {
        SQLite::Database sql(world.file().string(), SQLite::OPEN_READONLY);
        SQLite::Statement statement(sql, query);
        return statement.executeStep() ? statement.getColumn(0).getString() : "no row";
    }

    Directory directory;
    soak::World world{directory.path() / "impressions.db", present, "Europe/Amsterdam"};
    simulator::RowMaker maker{1};
    std::int64_t next_id = 1;
};

Fault with_body(std::function<void(std::string&)> edit) {
    Fault fault;
    fault.body = std::move(edit);
    return fault;
}

}  // namespace

// A record of the future becomes the cursor, and what comes after it is never read:
// https://github.com/airbytehq/airbyte/pull/27498
TEST_CASE("reported: a record that is dated in the future moves nothing") {
    Reported reported;
    soak::World& world = reported.world;
    reported.add_every(1h, present - 30 * day, present);
    SUBCASE("by more than a day") {
        simulator::Row future = reported.maker.make(1'000'000, present + 400 * day, 400);
        world.account.add(future);
        CHECK(world.sync().whole());
        reported.add_every(60s, present, present + 600s);
        world.clock.advance(700s);
        CHECK(world.sync().whole());
        world.clock.advance(8 * day);
        CHECK(world.sync().whole());
        world.account.remove(future.id);
        soak::expect_exact(world);
    }
    SUBCASE("by some hours, which cannot be told from a wrong zone") {
        world.account.add(reported.maker.make(1'000'000, present + 5h, 400));
        CHECK_THROWS_AS(world.sync(), sync::WrongZone);
        CHECK(soak::rows_of(world.file()).empty());
        world.clock.advance(6h);
        CHECK(world.sync().whole());
        soak::expect_exact(world);
    }
}

// Some replies come from a replica that lags, so rows come, go, and come again:
// https://github.com/estuary/connectors/pull/2731,
// https://github.com/triggerdotdev/trigger.dev/pull/3910
TEST_CASE("reported: a replica that lags hides rows only until the next recheck") {
    Reported reported;
    soak::World& world = reported.world;
    reported.add_every(1h, present - 30 * day, present);
    std::uint64_t replies = 0;
    reported.set_fault([&](const simulator::Request&) -> std::optional<Fault> {
        if (++replies % 3 != 0) {
            return std::nullopt;
        }
        Fault fault;
        const LocalTime seen = world.settings.zone.to_local(world.clock.now() - 600s);
        fault.question = [seen](simulator::Question& question) {
            question.end = std::min(question.end.value_or(seen), seen);
        };
        return fault;
    });
    for (int visit = 0; visit < 30; ++visit) {
        reported.add_every(17s, world.clock.now(), world.clock.now() + 300s);
        world.clock.advance(300s);
        world.sync();
    }
    world.clock.advance(1h);
    world.sync();
    CHECK(reported.ask("SELECT count(*) FROM impressions WHERE removed_at IS NOT NULL") == "0");
    soak::expect_exact(world);
}

// `total` comes from a cache and is older than the records beside it:
// https://github.com/guacsec/trustify/issues/2355
TEST_CASE("reported: a total that is older than its records proves nothing") {
    Reported reported;
    soak::World& world = reported.world;
    reported.add_every(1h, present - 30 * day, present);
    CHECK(world.sync().whole());
    reported.set_fault([&](const simulator::Request&) {
        const std::string fresh = format_local(world.settings.zone.to_local(
            Instant(Seconds(world.clock.now().time_since_epoch().count() / 120 * 120))));
        Fault fault;
        fault.page = [fresh](simulator::Page& page) {
            for (const std::string& record : page.records) {
                const std::size_t at = record.find("\"timestamp\":\"");
                if (page.total && record.substr(at + 13, 19) >= fresh) {
                    --*page.total;
                }
            }
        };
        return fault;
    });
    for (int visit = 0; visit < 20; ++visit) {
        reported.add_every(7s, world.clock.now(), world.clock.now() + 90s);
        world.clock.advance(90s);
        world.sync();
    }
    world.clock.advance(300s);
    CHECK(world.sync().whole());
    soak::expect_exact(world);
}

// A cache on the way gives the same reply again for some minutes:
// https://github.com/sanity-io/sanity/issues/1409
TEST_CASE("reported: a reply from a cache proves what was there when it was made") {
    Reported reported;
    soak::World& world = reported.world;
    reported.add_every(1h, present - 30 * day, present);
    struct Kept {
        Instant at;
        std::string body;
    };
    std::map<std::string, Kept> cache;
    reported.set_habit([&](const simulator::Request& request) {
        const simulator::Question& question = request.question;
        const std::string key = fmt::format("{} {} {} {} {}", format_local(*question.begin),
                                            format_local(*question.end), question.start,
                                            question.limit, question.total);
        Trouble trouble;
        const Instant now = world.clock.now();
        if (const auto kept = cache.find(key);
            kept != cache.end() && now - kept->second.at < 300s) {
            trouble.date_error = kept->second.at - now;
            trouble.fault =
                with_body([body = kept->second.body](std::string& held) { held = body; });
            return trouble;
        }
        trouble.fault = with_body([&cache, key, now](std::string& body) {
            cache[key] = {now, body};
        });
        return trouble;
    });
    for (int visit = 0; visit < 40; ++visit) {
        reported.add_every(7s, world.clock.now(), world.clock.now() + 50s);
        world.clock.advance(50s);
        world.sync();
    }
    world.clock.advance(600s);
    CHECK(world.sync().whole());
    world.clock.advance(600s);
    CHECK(world.sync().whole());
    soak::expect_exact(world);
}

// An offset of 10,000 or more is answered with 500: https://github.com/usgpo/api/issues/93
TEST_CASE("reported: offsets above ten thousand fail") {
    Reported reported(Order::shuffled);
    soak::World& world = reported.world;
    reported.add_every(1s, present - 4h, present - 40min);
    reported.set_fault([](const simulator::Request& request) {
        const bool deep = request.question.start + request.question.limit > 10'000;
        return deep ? std::optional(simulator::faults::status(500)) : std::nullopt;
    });
    CHECK(world.sync().whole());
    soak::expect_exact(world);
}

// The limit is one of everything, or the next page is the same again, so that a client ends early
// or never: https://github.com/jupyterhealth/jupyterhealth-exchange/issues/204,
// https://github.com/PipedreamHQ/pipedream/pull/1203
TEST_CASE("reported: whatever page is asked for, the first one comes") {
    for (const Order order : {Order::by_time, Order::by_id, Order::shuffled}) {
        CAPTURE(static_cast<int>(order));
        Reported reported(order);
        soak::World& world = reported.world;
        world.behaviour.max_page = 100;
        reported.add_every(97s, present - 4 * day, present);
        reported.set_fault([](const simulator::Request& request) {
            Fault fault;
            fault.question = [](simulator::Question& question) { question.start = 0; };
            fault.page = [start = request.question.start](simulator::Page& page) {
                page.start = start;
            };
            return fault;
        });
        CHECK(world.sync().whole());
        soak::expect_exact(world);
    }
}

// Records that the token may not see are taken out after `limit`, so that pages are short, or
// empty, before the last one: https://github.com/singer-io/tap-mambu/pull/11
TEST_CASE("reported: short and empty pages before the last one") {
    for (const Order order : {Order::by_time, Order::shuffled}) {
        CAPTURE(static_cast<int>(order));
        Reported reported(order);
        soak::World& world = reported.world;
        world.settings.page_size = 20;
        reported.add_every(97s, present - 2 * day, present);
        const auto is_secret = [](const std::string& record) {
            const std::size_t at = record.find("\"ID\":\"") + 6;
            return std::stoll(record.substr(at)) % 100 < 50;
        };
        reported.set_fault([&world, is_secret](const simulator::Request& request) {
            // The count is of those that are shown.
            simulator::Question all = request.question;
            all.start = 0;
            all.limit = 1'000'000;
            simulator::Request counting = request;
            counting.question = all;
            simulator::Behaviour behaviour = world.behaviour;
            behaviour.max_page = all.limit;
            std::uint64_t shown = 0;
            Fault count;
            count.page = [&](simulator::Page& page) {
                shown =
                    page.records.size() - static_cast<std::size_t>(std::count_if(
                                              page.records.begin(), page.records.end(), is_secret));
            };
            simulator::answer(counting, world.account, behaviour, count, world.clock.now());
            Fault fault;
            fault.page = [shown, is_secret](simulator::Page& page) {
                std::erase_if(page.records, is_secret);
                page.count = page.records.size();
                if (page.total) {
                    page.total = shown;
                }
            };
            return fault;
        });
        CHECK(world.sync().whole());
        for (std::int64_t id = 1; id < reported.next_id; ++id) {
            if (id % 100 < 50) {
                world.account.remove(id);
            }
        }
        soak::expect_exact(world);
    }
}

// To count a long period takes the server too long:
// https://github.com/travis-ci/travis-api/pull/778
TEST_CASE("reported: counting a long period times out") {
    Reported reported;
    soak::World& world = reported.world;
    reported.add_every(1h, present - 50 * day, present);
    reported.set_fault([](const simulator::Request& request) {
        const bool long_count =
            request.question.total && *request.question.end - *request.question.begin > 3 * day;
        std::optional<Fault> fault;
        if (long_count) {
            fault = simulator::faults::gateway(504);
            fault->delay = 30s;
        }
        return fault;
    });
    CHECK(world.sync().whole());
    soak::expect_exact(world);
    world.clock.advance(8 * day);
    reported.add(world.clock.now() - 1h);
    CHECK(world.sync().whole());
    world.clock.advance(8 * day);
    CHECK(world.sync().whole());
    soak::expect_exact(world);
}

// A warning of PHP before the JSON: https://github.com/Dolibarr/dolibarr/issues/37445
TEST_CASE("reported: text before the JSON, now and then or always for one period") {
    Reported reported;
    soak::World& world = reported.world;
    reported.add_every(10min, present - 9 * day, present);
    const Fault warning = with_body([](std::string& body) {
        body.insert(0,
                    "<br />\n<b>Warning</b>: count(): Parameter must be an array in <b>a.php</b>");
    });
    std::uint64_t replies = 0;
    SUBCASE("now and then") {
        reported.set_fault([&](const simulator::Request&) {
            return ++replies % 2 == 0 ? std::optional(warning) : std::nullopt;
        });
        CHECK(world.sync().whole());
        soak::expect_exact(world);
    }
    SUBCASE("for one second") {
        const LocalTime second = world.settings.zone.to_local(present - 2 * day);
        reported.set_fault([&](const simulator::Request& request) {
            return request.question.contains(second) ? std::optional(warning) : std::nullopt;
        });
        const sync::Outcome outcome = world.sync();
        CHECK_FALSE(outcome.whole());
        REQUIRE(outcome.unread.size() == 1);
        CHECK(outcome.unread.front().window.width() <= 3s);
        CHECK(soak::rows_of(world.file()).size() == soak::shown_rows(world).size() - 1);
        world.trouble = nullptr;
        CHECK(world.sync().whole());
        soak::expect_exact(world);
    }
}

// An empty list comes as `null`: https://github.com/castorm/kafka-connect-http/pull/114
TEST_CASE("reported: a list that is null is a bad reply, and never an empty period") {
    Reported reported;
    soak::World& world = reported.world;
    reported.add_every(1h, present - 30 * day, present - 20 * day);
    reported.add_every(1h, present - 5 * day, present - 4 * day);
    const auto null_for_none = [](std::string& body) {
        const std::string none = "\"data\":[]";
        if (const std::size_t at = body.find(none); at != std::string::npos) {
            body.replace(at, none.size(), "\"data\":null");
        }
    };
    std::uint64_t replies = 0;
    SUBCASE("now and then") {
        reported.set_fault([&](const simulator::Request&) {
            return ++replies % 2 == 0 ? std::optional(with_body(null_for_none)) : std::nullopt;
        });
        CHECK(world.sync().whole());
        soak::expect_exact(world);
    }
    SUBCASE("always") {
        reported.set_fault([&](const simulator::Request&) { return with_body(null_for_none); });
        CHECK_THROWS_WITH_AS(world.sync(), doctest::Contains("data"), copernica::ApiFailed);
        CHECK(soak::covered(world.file()).empty());
    }
}

// One text that is not valid Unicode, and the import never ends:
// https://github.com/LogicLabs-OU/OpenArchiver/pull/464
TEST_CASE("reported: half of a surrogate pair costs one second, with a reason") {
    Reported reported;
    soak::World& world = reported.world;
    reported.add_every(1h, present - 30 * day, present);
    simulator::Row broken = reported.maker.make(1'000'000, present - 3 * day + 1800s, 400);
    broken.raw =
        fmt::format("{{\"ID\":\"1000000\",\"timestamp\":\"{}\",\"useragent\":\"Mail \\ud83d\"}}",
                    format_local(world.settings.zone.to_local(broken.at)));
    world.account.add(broken);
    const sync::Outcome outcome = world.sync();
    REQUIRE(outcome.unread.size() == 1);
    CHECK(outcome.unread.front().window.width() <= 3s);
    CHECK(outcome.unread.front().reason.find("JSON") != std::string::npos);
    CHECK(soak::rows_of(world.file()).size() == soak::shown_rows(world).size());
    // It is not the size of pages that is wrong.
    CHECK(reported.ask("SELECT count(*) FROM mirror WHERE key = 'page_size' AND value <> ''") ==
          "0");
    world.account.remove(broken.id);
    CHECK(world.sync().whole());
    soak::expect_exact(world);
}

// A key twice in one batch, and the batch never comes in:
// https://github.com/uktrade/pg-bulk-ingest/pull/103
TEST_CASE("reported: two records with one ID and one time are both kept, in few requests") {
    for (const Order order : {Order::by_time, Order::by_id}) {
        CAPTURE(static_cast<int>(order));
        Reported reported(order);
        soak::World& world = reported.world;
        reported.add_every(300s, present - 10 * day, present - 300s);
        const Instant at = present - 10 * day + 1499 * 300s;
        world.account.add(reported.maker.make(1500, at, 499));
        CHECK(world.sync().whole());
        CHECK(world.requests() < 40);
        CHECK(reported.ask("SELECT count(*) FROM impressions WHERE id = 1500") == "1");
        CHECK(reported.ask("SELECT count(*) FROM rejects WHERE record LIKE '%\"ID\":1500,%'") ==
              "1");
        CHECK(reported.ask("SELECT count(*) FROM impressions") ==
              std::to_string(reported.next_id - 1));
        world.clock.advance(8 * day);
        const std::uint64_t before = world.requests();
        CHECK(world.sync().whole());  // with a count of everything
        CHECK(world.requests() - before < 40);
    }
}

// Records too large for a buffer end the import: https://github.com/singer-io/target-stitch/pull/81
TEST_CASE("reported: pages of more than 32 MiB are asked for in smaller ones") {
    Reported reported;
    soak::World& world = reported.world;
    for (std::int64_t id = 1; id <= 400; ++id) {
        simulator::Row row = reported.maker.make(id, present - Seconds(id), 400);
        row.useragent = std::to_string(id) + std::string(100'000, 'x');
        world.account.add(row);
    }
    CHECK(world.sync().whole());
    world.clock.advance(60s);
    CHECK(world.sync().whole());
    soak::expect_exact(world);
}
