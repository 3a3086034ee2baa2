#include "storage/local_months.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include "core/time/local_months.hpp"
#include "core/time/text.hpp"
#include "storage/seconds.hpp"

namespace mirror::storage {
namespace {

// No account is older, and no rule of a zone is known to hold longer.
constexpr std::chrono::year first_year{2000};
constexpr std::chrono::year last_year{2100};

// local_begin, local_end, day_zero.
using StoredMonth = std::tuple<std::string, std::string, std::int64_t>;

std::vector<StoredMonth> months_of(const Zone& zone) {
    std::vector<StoredMonth> months;
    for (const LocalMonth& month : local_months(zone, first_year, last_year)) {
        months.emplace_back(format_local(month.period.begin), format_local(month.period.end),
                            seconds(month.day_zero));
    }
    return months;
}

std::vector<StoredMonth> stored_months(SQLite::Database& sql) {
    std::vector<StoredMonth> months;
    SQLite::Statement query(
        sql,
        "SELECT local_begin, local_end, day_zero FROM local_months ORDER BY month, local_begin");
    while (query.executeStep()) {
        months.emplace_back(query.getColumn(0).getString(), query.getColumn(1).getString(),
                            query.getColumn(2).getInt64());
    }
    return months;
}

}  // namespace

void match_local_months(SQLite::Database& sql, const Zone& zone) {
    const std::vector<StoredMonth> wanted = months_of(zone);
    if (stored_months(sql) == wanted) {
        return;
    }
    sql.exec("DELETE FROM local_months");
    SQLite::Statement insert(sql,
                             "INSERT INTO local_months (month, local_begin, local_end, day_zero) "
                             "VALUES (substr(?1, 1, 7), ?1, ?2, ?3)");
    for (const auto& [begin, end, day_zero] : wanted) {
        insert.bind(1, begin);
        insert.bind(2, end);
        insert.bind(3, day_zero);
        insert.exec();
        insert.reset();
    }
}

}  // namespace mirror::storage
