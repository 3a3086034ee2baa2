#include "storage/report_reader.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sqlite3.h>

#include "core/record/open_rules.hpp"
#include "core/time/text.hpp"
#include "storage/kept_data.hpp"
#include "storage/metadata.hpp"
#include "storage/migrations.hpp"
#include "storage/mirror_database.hpp"
#include "storage/sqlite/errors.hpp"

namespace mirror::storage {
namespace {

using Count = ReportNumbers::Count;

// Instructions of SQLite's machine: some tenths of a millisecond.
constexpr int steps_between_questions = 20'000;

// There are some ten of them. More would be a mistake, and no page for it.
constexpr int most_reasons = 50;

std::uint64_t count_in(const SQLite::Column& column) {
    return static_cast<std::uint64_t>(column.getInt64());
}

// A program, as it is looked up once for each number.
struct Agent {
    std::string device;
    std::string useragent;
    std::vector<OpenVerdict> verdicts;

    std::string kind_on(const std::string& day) const {
        for (const OpenVerdict& verdict : verdicts) {
            if (verdict.from <= day && day < verdict.to) {
                return verdict.kind;
            }
        }
        return {};
    }
};

class Agents {
  public:
    explicit Agents(SQLite::Database& sql)
        : texts_(sql,
                 "SELECT ifnull(device, ''), ifnull(useragent, '') FROM user_agents WHERE id = ?"),
          kinds_(sql, "SELECT kind, valid_from, valid_to FROM open_kinds WHERE user_agent = ?") {}

    /// 0: an open without a program.
    const Agent& of(std::int64_t number) {
        const auto [found, made] = known_.try_emplace(number);
        if (made && number != 0) {
            look_up(number, found->second);
        }
        return found->second;
    }

  private:
    void look_up(std::int64_t number, Agent& agent) {
        texts_.reset();
        texts_.bind(1, number);
        if (texts_.executeStep()) {
            agent.device = texts_.getColumn(0).getString();
            agent.useragent = texts_.getColumn(1).getString();
        }
        kinds_.reset();
        kinds_.bind(1, number);
        while (kinds_.executeStep()) {
            agent.verdicts.push_back({kinds_.getColumn(0).getString(),
                                      kinds_.getColumn(1).getString(),
                                      kinds_.getColumn(2).getString(), std::nullopt});
        }
    }

    SQLite::Statement texts_;
    SQLite::Statement kinds_;
    std::unordered_map<std::int64_t, Agent> known_;
};

std::vector<Count> most_first(const std::map<std::string, std::uint64_t>& counts) {
    std::vector<Count> sorted(counts.begin(), counts.end());
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const Count& a, const Count& b) { return a.second > b.second; });
    return sorted;
}

// One scan of the period, grouped by hour and by the number of the program: everything else about
// opens follows from it.
void read_opens(SQLite::Database& sql, const ReportOptions& options, ReportNumbers& numbers) {
    Agents agents(sql);
    std::map<std::string, std::uint64_t> devices;
    std::map<std::string, std::uint64_t> programs;
    SQLite::Statement query(
        sql,
        "SELECT substr(timestamp, 1, 13), ifnull(user_agent, 0), count(*) FROM impression_rows "
        "WHERE removed_at IS NULL AND timestamp >= ? AND timestamp < ? GROUP BY 1, 2");
    query.bind(1, format_local(options.period.begin));
    query.bind(2, format_local(options.period.end));
    while (query.executeStep()) {
        const std::string hour = query.getColumn(0).getString();
        const Agent& agent = agents.of(query.getColumn(1).getInt64());
        const std::uint64_t opens = count_in(query.getColumn(2));
        const std::string day = hour.substr(0, 10);
        numbers.opens_by_day[day][agent.kind_on(day)] += opens;
        devices[agent.device] += opens;
        programs[agent.useragent] += opens;
        if (const auto at = parse_local(hour + ":00:00")) {
            const auto midnight = std::chrono::floor<std::chrono::days>(*at);
            const unsigned weekday = std::chrono::weekday(midnight).iso_encoding() - 1;
            const auto of_day = std::chrono::floor<std::chrono::hours>(*at - midnight).count();
            numbers.opens_by_hour.at(weekday).at(static_cast<std::size_t>(of_day)) += opens;
        }
    }
    numbers.devices = most_first(devices);
    numbers.programs = most_first(programs);
    if (numbers.programs.size() > options.programs) {
        numbers.programs.resize(options.programs);
    }
}

struct SentMailing {
    std::int64_t id;
    MailingResult result;
};

std::vector<SentMailing> sent_mailings(SQLite::Database& sql, const ReportOptions& options,
                                       const std::string& order) {
    SQLite::Statement query(
        sql,
        "SELECT id, ifnull(subject, ''), timestamp, destinations FROM mailing_rows "
        "WHERE removed_at IS NULL AND timestamp >= ? AND timestamp < ? ORDER BY " +
            order + " LIMIT ?");
    query.bind(1, format_local(options.period.begin));
    query.bind(2, format_local(options.period.end));
    query.bind(3, static_cast<std::int64_t>(options.mailings));
    std::vector<SentMailing> mailings;
    while (query.executeStep()) {
        SentMailing& mailing = mailings.emplace_back();
        mailing.id = query.getColumn(0).getInt64();
        mailing.result.subject = query.getColumn(1).getString();
        mailing.result.sent_at = query.getColumn(2).getString();
        if (!query.getColumn(3).isNull()) {
            mailing.result.destinations = count_in(query.getColumn(3));
        }
    }
    return mailings;
}

using ByMailing = std::map<std::int64_t, std::pair<std::uint64_t, std::uint64_t>>;

// Counts events of these mailings. All of them are later than the mailing was sent, so `since`
// limits how much is read without an index on mailing. `from` and `values` are parts of SQL
// that this file writes; no text of the API is in them.
ByMailing by_mailing(SQLite::Database& sql, const std::vector<std::int64_t>& mailings,
                     const std::string& since, const std::string& from, const std::string& values) {
    SQLite::Statement query(
        sql, fmt::format("SELECT mailing, {} FROM {} WHERE removed_at IS NULL AND mailing IN ({}) "
                         "AND timestamp >= ? GROUP BY mailing",
                         values, from, fmt::join(mailings, ", ")));
    query.bind(1, since);
    ByMailing counts;
    while (query.executeStep()) {
        counts[query.getColumn(0).getInt64()] = {count_in(query.getColumn(1)),
                                                 count_in(query.getColumn(2))};
    }
    return counts;
}

// Account-local times, as the file has them.
struct WholePeriod {
    std::string since;
    std::string until;

    bool has(const std::string& time) const { return since <= time && time < until; }
};

// As the view mailing_results has them.
std::map<std::string, WholePeriod> whole_periods(SQLite::Database& sql) {
    std::map<std::string, WholePeriod> periods;
    SQLite::Statement query(sql, "SELECT stream, since, ifnull(until, '') FROM whole_periods");
    while (query.executeStep()) {
        periods[query.getColumn(0).getString()] = {query.getColumn(1).getString(),
                                                   query.getColumn(2).getString()};
    }
    return periods;
}

void read_mailings(SQLite::Database& sql, const ReportOptions& options, ReportNumbers& numbers) {
    std::vector<SentMailing> newest = sent_mailings(sql, options, "timestamp DESC, id DESC");
    std::vector<SentMailing> biggest =
        sent_mailings(sql, options, "destinations DESC, timestamp DESC");
    std::vector<std::int64_t> ids;
    for (const auto* const list : {&newest, &biggest}) {
        for (const SentMailing& mailing : *list) {
            ids.push_back(mailing.id);
        }
    }
    if (ids.empty()) {
        return;
    }
    const std::string since = format_local(options.period.begin);
    const ByMailing deliveries = by_mailing(sql, ids, since, "delivery_rows", "count(*), 0");
    const ByMailing opens = by_mailing(
        sql, ids, since,
        "impression_rows LEFT JOIN open_kinds ON open_kinds.user_agent = "
        "impression_rows.user_agent AND valid_from <= timestamp AND valid_to > timestamp",
        "count(DISTINCT destination), count(DISTINCT CASE WHEN kind = 'person' THEN destination "
        "END)");
    const ByMailing clicks =
        by_mailing(sql, ids, since, "click_rows", "count(DISTINCT destination), 0");
    const std::map<std::string, WholePeriod> whole = whole_periods(sql);
    const auto value = [&](const char* stream, const ByMailing& counts, const SentMailing& mailing,
                           bool second) -> std::optional<std::uint64_t> {
        const auto period = whole.find(stream);
        if (period == whole.end() || !period->second.has(mailing.result.sent_at)) {
            return std::nullopt;
        }
        const auto found = counts.find(mailing.id);
        if (found == counts.end()) {
            return 0;
        }
        return second ? found->second.second : found->second.first;
    };
    const bool agents = kept_data(sql).narrowest.useragent == Privacy::UserAgents::full;
    const auto fill = [&](std::vector<SentMailing>& from, std::vector<MailingResult>& to) {
        for (SentMailing& mailing : from) {
            mailing.result.deliveries = value("deliveries", deliveries, mailing, false);
            mailing.result.unique_opens = value("impressions", opens, mailing, false);
            mailing.result.unique_person_opens =
                agents ? value("impressions", opens, mailing, true) : std::nullopt;
            mailing.result.unique_clicks = value("clicks", clicks, mailing, false);
            to.push_back(std::move(mailing.result));
        }
    };
    fill(newest, numbers.newest);
    fill(biggest, numbers.biggest);
}

void read_rejects(SQLite::Database& sql, ReportNumbers& numbers) {
    SQLite::Statement query(
        sql,
        "SELECT stream, reason, records FROM reject_reasons ORDER BY records DESC, 1, 2 LIMIT ?");
    query.bind(1, most_reasons);
    while (query.executeStep()) {
        numbers.rejects.push_back({query.getColumn(0).getString(), query.getColumn(1).getString(),
                                   count_in(query.getColumn(2))});
    }
}

void refuse_older(SQLite::Database& sql) {
    if (sql.execAndGet("PRAGMA user_version").getInt() < schema_version) {
        throw DatabaseError(DatabaseErrorKind::absent,
                            "database " + std::string(sql.getFilename()) +
                                ": made by an older version of the program, and has no numbers for "
                                "a report yet; the next `sync` or `run` brings it up to date");
    }
}

// Returns 0 to go on.
int interrupted(void* function) {
    return (*static_cast<const std::function<bool()>*>(function))() ? 0 : 1;
}

}  // namespace

ReportNumbers read_report(const ReportOptions& options) {
    SQLite::Database sql = open_mirror_read_only(options.path, options.busy_timeout);
    std::function<bool()> go_on = options.go_on;
    if (go_on) {
        sqlite3_progress_handler(sql.getHandle(), steps_between_questions, interrupted, &go_on);
    }
    try {
        const SQLite::Transaction snapshot(sql);
        refuse_older(sql);
        ReportNumbers numbers;
        numbers.time_zone = Facts(sql).get(fact_key::time_zone).value_or("");
        read_opens(sql, options, numbers);
        read_mailings(sql, options, numbers);
        read_rejects(sql, numbers);
        return numbers;
    } catch (const SQLite::Exception& error) {
        throw explain(error, system_error_of(sql.getHandle()), sql.getFilename());
    }
}

}  // namespace mirror::storage
