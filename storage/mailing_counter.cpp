#include "storage/mailing_counter.hpp"

#include <set>
#include <string_view>
#include <utility>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <boost/json.hpp>

#include "core/time/text.hpp"
#include "core/util/decimal.hpp"
#include "storage/seconds.hpp"

namespace mirror::storage {
namespace {

std::uint64_t number(const SQLite::Column& column) {
    return static_cast<std::uint64_t>(column.getInt64());
}

// A member of a record that is kept as JSON: a whole number, or a text that is one. What did not
// fit is in `extra`.
std::optional<std::int64_t> integer_of(const boost::json::object& record, std::string_view name) {
    if (const boost::json::value* const value = record.if_contains(name)) {
        if (const std::int64_t* const integer = value->if_int64()) {
            return *integer;
        }
        if (const boost::json::string* const text = value->if_string()) {
            return read_decimal<std::int64_t>({text->data(), text->size()});
        }
        return std::nullopt;
    }
    const boost::json::value* const extra = record.if_contains("extra");
    return extra != nullptr && extra->is_object() ? integer_of(extra->get_object(), name)
                                                  : std::nullopt;
}

boost::json::object object_of(const std::string& record) {
    boost::json::error_code error;
    boost::json::value value = boost::json::parse(record, error);
    return error || !value.is_object() ? boost::json::object() : std::move(value.get_object());
}

}  // namespace

plan::MailingCounts MailingCounter::count(const LocalPeriod& period,
                                          std::optional<std::int64_t> mailing) {
    period_ = period;
    mailing_ = mailing;
    counts_ = {};
    if (has_column(stream_, "mailing")) {
        add_rows();
        add_rejects();
        add_erased();
    } else {
        add_mailings();
    }
    return std::move(counts_);
}

void MailingCounter::add_mailings() {
    SQLite::Statement query(sql_, "SELECT id FROM " + table_ +
                                      " WHERE timestamp >= ?1 AND timestamp < ?2 AND removed_at "
                                      "IS NULL AND ifnull(?3, id) = id");
    query.bind(1, format_local(period_.begin));
    query.bind(2, format_local(period_.end));
    if (mailing_) {
        query.bind(3, *mailing_);
    }
    while (query.executeStep()) {
        counts_.by_mailing[query.getColumn(0).getInt64()];
    }
}

void MailingCounter::add_rows() {
    // Of one mailing by the index of mailings, if there is one; the time is looked at in its rows.
    const std::string where = mailing_ ? "mailing = ?3 AND +timestamp >= ?1 AND +timestamp < ?2"
                                       : "timestamp >= ?1 AND timestamp < ?2";
    SQLite::Statement query(sql_,
                            "SELECT mailing, count(*), count(DISTINCT destination), "
                            "count(*) - count(destination) FROM " +
                                table_ + " WHERE " + where +
                                " AND removed_at IS NULL AND mailing IS NOT NULL GROUP BY mailing");
    query.bind(1, format_local(period_.begin));
    query.bind(2, format_local(period_.end));
    if (mailing_) {
        query.bind(3, *mailing_);
    }
    while (query.executeStep()) {
        plan::MailingCount& count = counts_.by_mailing[query.getColumn(0).getInt64()];
        count.total = number(query.getColumn(1));
        count.unique = number(query.getColumn(2));
        count.without_destination = number(query.getColumn(3));
    }
}

// One without a time lies somewhere in its window.
void MailingCounter::add_rejects() {
    SQLite::Statement query(sql_, R"(
        SELECT timestamp, record, copies FROM rejects WHERE stream = ?5 AND (
            (timestamp >= ?1 AND timestamp < ?2)
            OR (timestamp IS NULL AND "begin" < ?4 AND "end" > ?3)))");
    query.bind(1, format_local(period_.begin));
    query.bind(2, format_local(period_.end));
    query.bind(3, seconds(zone_.earliest(period_.begin)));
    query.bind(4, seconds(zone_.latest(period_.end)));
    query.bind(5, std::string(stream_.name));
    std::set<std::pair<std::int64_t, std::int64_t>> destinations;
    while (query.executeStep()) {
        const boost::json::object record = object_of(query.getColumn(1).getString());
        const std::uint64_t copies = number(query.getColumn(2));
        const std::optional<std::int64_t> mailing = integer_of(record, "mailing");
        if (query.getColumn(0).isNull() || !mailing) {
            counts_.unattributed += copies;
            continue;
        }
        if (mailing_.value_or(*mailing) != *mailing) {
            continue;
        }
        plan::MailingCount& count = counts_.by_mailing[*mailing];
        count.total += copies;
        const std::optional<std::int64_t> destination = integer_of(record, "destination");
        if (!destination) {
            count.without_destination += copies;
        } else if (destinations.emplace(*mailing, *destination).second &&
                   !has_row(*mailing, *destination)) {
            ++count.unique;
        }
    }
}

bool MailingCounter::has_row(std::int64_t mailing, std::int64_t destination) {
    SQLite::Statement query(sql_,
                            "SELECT 1 FROM " + table_ +
                                " WHERE mailing = ?3 AND destination = ?4 AND timestamp >= ?1 "
                                "AND timestamp < ?2 AND removed_at IS NULL LIMIT 1");
    query.bind(1, format_local(period_.begin));
    query.bind(2, format_local(period_.end));
    query.bind(3, mailing);
    query.bind(4, destination);
    return query.executeStep();
}

// Nothing of them is kept that says of which mailing they were.
void MailingCounter::add_erased() {
    SQLite::Statement query(sql_, R"(
        SELECT ifnull(sum(copies), 0) FROM erased
        WHERE stream = ?3 AND timestamp >= ?1 AND timestamp < ?2 AND gone_at IS NULL)");
    query.bind(1, format_local(period_.begin));
    query.bind(2, format_local(period_.end));
    query.bind(3, std::string(stream_.name));
    query.executeStep();
    counts_.unattributed += number(query.getColumn(0));
}

}  // namespace mirror::storage
