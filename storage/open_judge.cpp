#include "storage/open_judge.hpp"

#include <optional>
#include <string>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

namespace mirror::storage {
namespace {

constexpr char select_rules[] =
    "SELECT rule, kind, field, form, pattern, ifnull(valid_from, ''), ifnull(valid_to, ''), "
    "source, enabled FROM open_rules ORDER BY place";

constexpr char insert_verdict[] =
    "INSERT INTO open_kinds (user_agent, kind, valid_from, valid_to, rule) "
    "VALUES (?1, ?2, ?3, ?4, ?5)";

std::vector<OpenRule> read_rules(RowStatement& query) {
    std::vector<OpenRule> rules;
    while (query.step()) {
        rules.push_back({query.text(0), query.text(1), query.text(2), query.text(3), query.text(4),
                         query.text(5), query.text(6), query.text(7), query.integer(8) != 0});
    }
    query.reset();
    return rules;
}

void write_rules(SQLite::Database& sql, const std::vector<OpenRule>& rules) {
    sql.exec("DELETE FROM open_rules");
    SQLite::Statement insert(
        sql,
        "INSERT INTO open_rules (rule, kind, field, form, pattern, valid_from, valid_to, source, "
        "enabled) VALUES (?, ?, ?, ?, ?, nullif(?, ''), nullif(?, ''), ?, ?)");
    for (const OpenRule& rule : rules) {
        int parameter = 0;
        for (const std::string& text : {rule.name, rule.kind, rule.field, rule.form, rule.pattern,
                                        rule.valid_from, rule.valid_to, rule.source}) {
            insert.bind(++parameter, text);
        }
        insert.bind(++parameter, rule.enabled ? 1 : 0);
        insert.exec();
        insert.reset();
    }
}

// A number is never given twice, so those that nobody has judged are the newest ones.
void judge_the_rest(SQLite::Database& sql) {
    OpenJudge judge(sql.getHandle());
    RowStatement agents(sql.getHandle(),
                        "SELECT id, useragent, device, useragent IS NULL, device IS NULL "
                        "FROM user_agents "
                        "WHERE id > (SELECT ifnull(max(user_agent), 0) FROM open_kinds)");
    while (agents.step()) {
        const std::string useragent = agents.text(1);
        const std::string device = agents.text(2);
        Entry agent;
        if (agents.integer(3) == 0) {
            agent.first = useragent;
        }
        if (agents.integer(4) == 0) {
            agent.second = device;
        }
        judge.judge(agents.integer(0), agent);
    }
}

}  // namespace

OpenJudge::OpenJudge(sqlite3* connection)
    : select_rules_(connection, select_rules), insert_(connection, insert_verdict) {}

void OpenJudge::load_rules() {
    if (!known_) {
        select_rules_.abandon();  // what a look-up was at when memory ran out
        rules_ = read_rules(select_rules_);
        known_ = true;
    }
}

void OpenJudge::judge(std::int64_t user_agent, const Entry& agent) {
    load_rules();
    for (const OpenVerdict& verdict : judge_opens(rules_, agent)) {
        insert_.bind(1, user_agent);
        insert_.bind(2, std::string_view(verdict.kind));
        insert_.bind(3, std::string_view(verdict.from));
        insert_.bind(4, std::string_view(verdict.to));
        insert_.bind(5,
                     verdict.rule ? std::optional<std::string_view>(*verdict.rule) : std::nullopt);
        insert_.run();
    }
}

void forget_verdicts(SQLite::Database& sql, std::int64_t user_agent) {
    SQLite::Statement remove(sql, "DELETE FROM open_kinds WHERE user_agent = ?");
    remove.bind(1, user_agent);
    remove.exec();
}

void match_open_rules(SQLite::Database& sql, const std::vector<OpenRule>& rules) {
    RowStatement stored(sql.getHandle(), select_rules);
    if (read_rules(stored) != rules) {
        write_rules(sql, rules);
        sql.exec("DELETE FROM open_kinds");
    }
    judge_the_rest(sql);
}

}  // namespace mirror::storage
