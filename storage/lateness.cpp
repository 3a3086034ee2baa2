#include "storage/lateness.hpp"

#include <algorithm>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

namespace mirror::storage {

Seconds kept_lateness(Seconds lateness) {
    constexpr std::int64_t exact = 120;
    const std::int64_t value = std::max<std::int64_t>(lateness.count(), 0);
    std::int64_t step = 1;
    while (value / step >= (step == 1 ? exact : 100)) {
        step *= 10;
    }
    return Seconds((value + step - 1) / step * step);
}

void LatenessLedger::add(Seconds lateness) {
    SQLite::Statement add(sql_, R"(
        INSERT INTO lateness (stream, seconds, rows) VALUES (?, ?, 1)
        ON CONFLICT (stream, seconds) DO UPDATE SET rows = rows + 1)");
    add.bind(1, stream_);
    add.bind(2, kept_lateness(lateness).count());
    add.exec();
}

std::optional<LatenessSummary> LatenessLedger::summary() const {
    LatenessSummary summary;
    SQLite::Statement total(
        sql_,
        "SELECT ifnull(sum(rows), 0), ifnull(max(seconds), 0) FROM lateness WHERE stream = ?");
    total.bind(1, stream_);
    total.executeStep();
    summary.rows = static_cast<std::uint64_t>(total.getColumn(0).getInt64());
    summary.largest = Seconds(total.getColumn(1).getInt64());
    if (summary.rows == 0) {
        return std::nullopt;
    }
    // The smallest lateness that at least so many rows do not exceed.
    const std::uint64_t half = (summary.rows + 1) / 2;
    const std::uint64_t most = (summary.rows * 99 + 99) / 100;
    SQLite::Statement ascending(
        sql_, "SELECT seconds, rows FROM lateness WHERE stream = ? ORDER BY seconds");
    ascending.bind(1, stream_);
    std::uint64_t so_far = 0;
    while (ascending.executeStep()) {
        const std::uint64_t before = so_far;
        so_far += static_cast<std::uint64_t>(ascending.getColumn(1).getInt64());
        const Seconds seconds(ascending.getColumn(0).getInt64());
        if (before < half && half <= so_far) {
            summary.median = seconds;
        }
        if (before < most && most <= so_far) {
            summary.percentile_99 = seconds;
        }
    }
    return summary;
}

}  // namespace mirror::storage
