// How SQLite answers from the views: what an index serves is not scanned, and what is grouped is
// not looked up row by row.
#include <string>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <doctest/doctest.h>

#include "tests/unit/storage/fixture.hpp"

using namespace mirror;
using namespace mirror::storage;
using namespace mirror::storage::testing;

namespace {

class Plans {
  public:
    Plans() { make_mirror(path_); }

    /// Its steps, one a line.
    std::string of(const std::string& query) const {
        std::string steps;
        SQLite::Database sql(path_.string(), SQLite::OPEN_READONLY);
        SQLite::Statement plan(sql, "EXPLAIN QUERY PLAN " + query);
        while (plan.executeStep()) {
            steps += plan.getColumn(3).getString() + "\n";
        }
        return steps;
    }

  private:
    TemporaryDirectory directory_;
    std::filesystem::path path_ = directory_ / "m.db";
};

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("plans: the view opens looks up what is asked for, and by an index") {
    const Plans plans;
    // Nothing is looked up that nobody asked for.
    const std::string counted =
        plans.of("SELECT count(*) FROM opens WHERE timestamp >= '2026-03-01'");
    CHECK(has(counted, "SEARCH impression_rows USING INDEX impression_rows_timestamp"));
    CHECK_FALSE(has(counted, "SUBQUERY"));
    const std::string of_a_mailing = plans.of("SELECT id FROM opens WHERE mailing = 412");
    CHECK(has(of_a_mailing, "SEARCH impression_rows USING INDEX impression_rows_mailing"));
    CHECK_FALSE(has(of_a_mailing, "SUBQUERY"));
    // By number and time, in one index.
    CHECK(has(plans.of("SELECT kind FROM opens"),
              "SEARCH open_kinds USING COVERING INDEX open_kinds_unique (user_agent=? AND "
              "valid_from<?)"));
    CHECK(has(plans.of("SELECT unix_time FROM opens"),
              "SEARCH local_months USING INDEX local_months_unique (month=? AND local_begin<?)"));
    CHECK(has(plans.of("SELECT useragent FROM opens"),
              "SEARCH user_agents USING INTEGER PRIMARY KEY (rowid=?)"));
}

TEST_CASE("plans: grouped by number, programs and devices are looked up once each") {
    const Plans plans;
    for (const char* const column : {"device", "useragent"}) {
        CAPTURE(column);
        const std::string plan = plans.of(
            std::string("SELECT ") + column +
            ", sum(opens) FROM (SELECT user_agent, count(*) AS opens FROM opens GROUP BY "
            "user_agent) AS counted JOIN user_agents ON user_agents.id = counted.user_agent "
            "GROUP BY 1");
        CAPTURE(plan);
        CHECK_FALSE(has(plan, "CORRELATED"));
        CHECK(has(plan, "user_agents USING INTEGER PRIMARY KEY (rowid=?)"));
    }
}

TEST_CASE("plans: mailing results read each stream once, in the order of mailings") {
    const Plans plans;
    const std::string plan = plans.of("SELECT * FROM mailing_results");
    CAPTURE(plan);
    CHECK_FALSE(has(plan, "CORRELATED"));
    CHECK(has(plan, "SEARCH impression_rows USING INDEX impression_rows_mailing"));
    // Without an index on their mailing, SQLite makes one, once for all mailings.
    for (const std::string table : {"click_rows", "delivery_rows"}) {
        CAPTURE(table);
        CHECK(has(plan, "SEARCH " + table + " USING AUTOMATIC"));
    }
    CHECK(has(plan,
              "SEARCH open_kinds USING COVERING INDEX open_kinds_unique (user_agent=? AND "
              "valid_from<?)"));
}

TEST_CASE("plans: the results of one mailing read its events alone") {
    const Plans plans;
    for (const char* const columns : {"*", "subject, open_rate_of_deliveries"}) {
        CAPTURE(columns);
        const std::string plan =
            plans.of(std::string("SELECT ") + columns + " FROM mailing_results WHERE mailing = 7");
        CAPTURE(plan);
        CHECK(has(plan, "SEARCH sent USING INTEGER PRIMARY KEY (rowid=?)"));
        CHECK_FALSE(has(plan, "SCAN sent"));
        CHECK(has(plan, "SEARCH impression_rows USING INDEX impression_rows_mailing (mailing=?)"));
    }
}

TEST_CASE("plans: no view builds an index of its own over rows") {
    const Plans plans;
    for (const char* const view :
         {"impressions", "clicks", "deliveries", "errors", "abuses", "unsubscribes", "mailings",
          "covered_periods", "daily", "reject_reasons", "recent_runs", "lateness_by_hour",
          "whole_periods", "opens"}) {
        CAPTURE(view);
        CHECK_FALSE(has(plans.of(std::string("SELECT * FROM ") + view), "AUTOMATIC"));
    }
}
