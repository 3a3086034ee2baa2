#include "daemon/status/next_step.hpp"

#include <functional>
#include <string>
#include <utility>

#include <doctest/doctest.h>

using namespace mirror;
using namespace mirror::daemon;

namespace {

Status whole() {
    Status status;
    status.complete = Window{Instant(Seconds(0)), Instant(Seconds(1000))};
    status.lag = Seconds(10);
    status.rows = 5;
    return status;
}

Operation operated(bool run_works = false) {
    return {run_works, Seconds(86400), {"", "copernica-mirror"}};
}

}  // namespace

TEST_CASE("status: what to run next") {
    struct Row {
        const char* name;
        std::function<void(Status&)> edit;
        const char* step;         ///< the command; empty: nothing to do
        const char* step_if_run;  ///< the same while `run` works
    };
    const Row rows[] = {
        {"whole", [](Status&) {}, "", ""},
        {"nothing complete", [](Status& s) { s.complete.reset(); }, "copernica-mirror sync", ""},
        {"a gap", [](Status& s) { s.gaps.resize(1); }, "copernica-mirror sync", ""},
        {"behind", [](Status& s) { s.lag = Seconds(901); }, "copernica-mirror sync", ""},
        {"not far behind", [](Status& s) { s.lag = Seconds(900); }, "", ""},
        {"an unreadable gap",
         [](Status& s) {
             s.gaps.resize(1);
             s.gaps[0].reason = "bad second";
         },
         "copernica-mirror check", "copernica-mirror check"},
        {"an error", [](Status& s) { s.last_error = "no answer"; }, "copernica-mirror check",
         "copernica-mirror check"},
        {"another zone", [](Status& s) { s.zone_behind = std::chrono::hours(6); },
         "copernica-mirror check", "copernica-mirror check"},
        {"counts differ", [](Status& s) { s.count_difference = "7 more"; },
         "copernica-mirror audit --repair", "copernica-mirror audit --repair"},
        {"late rows",
         [](Status& s) {
             s.lateness.emplace();
             s.lateness->largest = Seconds(86401);
         },
         "copernica-mirror audit --repair", "copernica-mirror audit --repair"},
        {"rejects", [](Status& s) { s.rejects = 1; }, "look at the table rejects",
         "look at the table rejects"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        Status status = whole();
        row.edit(status);
        const std::string step = next_step(status, operated()).value_or("");
        const std::string step_if_run = next_step(status, operated(true)).value_or("");
        CHECK(step.starts_with(row.step));
        CHECK(step.empty() == std::string(row.step).empty());
        CHECK(step_if_run.starts_with(row.step_if_run));
        CHECK(step_if_run.empty() == std::string(row.step_if_run).empty());
    }
}

TEST_CASE("status: of several streams, those that are followed say what to do") {
    Statuses all{whole(), whole(), whole()};
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i].stream = &streams()[i];
        all[i].followed = true;
    }
    CHECK_FALSE(next_step(all, operated()));
    CHECK_FALSE(why_too_far_behind(all, Seconds(600)));
    all[1].lag = Seconds(7200);
    CHECK(next_step(all, operated()).value_or("").starts_with("copernica-mirror sync"));
    CHECK(why_too_far_behind(all, Seconds(600)) ==
          "clicks: the mirror is 2 h behind, more than --max-lag 10 min");
    all[1].followed = false;
    CHECK_FALSE(next_step(all, operated()));
    CHECK_FALSE(why_too_far_behind(all, Seconds(600)));
}

TEST_CASE("status: why --max-lag ends with 5") {
    Status status = whole();
    status.lag = Seconds(50'246'061);
    CHECK(why_too_far_behind(status, Seconds(600)) ==
          "the mirror is 581 d behind, more than --max-lag 10 min");
    CHECK_FALSE(why_too_far_behind(status, Seconds(50'246'061)));
    status.lag.reset();
    CHECK(why_too_far_behind(status, Seconds(600)) == "nothing is complete yet");
}

TEST_CASE("status: what to run next, of another mirror than the service's") {
    Status status = whole();
    status.complete.reset();
    const auto step = [&](Invocation invocation) {
        return next_step(status, {false, Seconds(86400), std::move(invocation)}).value_or("");
    };
    CHECK(step({"", "copernica-mirror"}) ==
          "copernica-mirror sync, or systemctl start copernica-mirror: it fetches what is missing");
    CHECK(step({" --config /etc/copernica-mirror/shop.toml", "copernica-mirror@shop"}) ==
          "copernica-mirror sync --config /etc/copernica-mirror/shop.toml, or systemctl start "
          "copernica-mirror@shop: it fetches what is missing");
    CHECK(step({" --database a.db", std::nullopt}) ==
          "copernica-mirror sync --database a.db: it fetches what is missing");
}

TEST_CASE("a mirror is named again as it was named") {
    const auto invocation = [](const char* config, const char* database) {
        CommandLine line;
        if (*config != '\0') {
            line.config = config;
        }
        if (*database != '\0') {
            line.database = database;
        }
        return invocation_of(line, "/etc/copernica-mirror/config.toml");
    };
    CHECK(invocation("", "").options.empty());
    CHECK(invocation("", "").unit == "copernica-mirror");
    CHECK(invocation("/etc/copernica-mirror/config.toml", "").unit == "copernica-mirror");
    CHECK(invocation("/etc/copernica-mirror/shop.toml", "").unit == "copernica-mirror@shop");
    CHECK(invocation("/etc/copernica-mirror/shop.toml", "").options ==
          " --config /etc/copernica-mirror/shop.toml");
    CHECK_FALSE(invocation("shop.toml", "").unit);
    CHECK_FALSE(invocation("", "other.db").unit);
    CHECK(invocation("it's mine.toml", "other.db").options ==
          " --config 'it'\\''s mine.toml' --database other.db");
}
