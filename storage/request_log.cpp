#include "storage/request_log.hpp"

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include "core/plan/request_budget.hpp"
#include "core/time/text.hpp"

namespace mirror::storage {
namespace {

constexpr std::chrono::hours kept(24 * 366);

}  // namespace

sync::RequestsToday RequestLog::spend(Instant now, std::int64_t wanted, std::uint64_t limit) {
    const std::string day = format_day(now);
    SQLite::Statement query(sql_, "SELECT requests FROM requests WHERE day = ?");
    query.bind(1, day);
    const bool known = query.executeStep();
    const std::int64_t before = known ? query.getColumn(0).getInt64() : 0;
    sync::RequestsToday today;
    today.granted = plan::granted(wanted, before, limit);
    today.total = static_cast<std::uint64_t>(before + today.granted);
    if (today.granted == 0) {
        return today;
    }
    SQLite::Statement write(sql_, R"(
        INSERT INTO requests (day, requests) VALUES (?1, ?2)
        ON CONFLICT (day) DO UPDATE SET requests = ?2)");
    write.bind(1, day);
    write.bind(2, before + today.granted);
    write.exec();
    if (!known) {
        SQLite::Statement forget(sql_, "DELETE FROM requests WHERE day < ?");
        forget.bind(1, format_day(now - kept));
        forget.exec();
    }
    return today;
}

std::map<std::string, std::uint64_t> RequestLog::days(SQLite::Database& sql) {
    std::map<std::string, std::uint64_t> days;
    SQLite::Statement query(sql, "SELECT day, requests FROM requests");
    while (query.executeStep()) {
        days[query.getColumn(0).getString()] =
            static_cast<std::uint64_t>(query.getColumn(1).getInt64());
    }
    return days;
}

}  // namespace mirror::storage
