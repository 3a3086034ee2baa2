#include "storage/row_writer.hpp"

#include <algorithm>
#include <string_view>

#include <sqlite3.h>

namespace mirror::storage {
namespace {

// Rows a statement: each saves a step, a reset and the statement's own start; beyond some twenty
// nothing more is gained.
constexpr std::size_t batch_size = 20;

// Parameters 1 and 2 are the times, which all rows of a statement share.
constexpr int shared_parameters = 2;
constexpr int row_parameters = 9;

std::string upsert_sql(std::size_t rows) {
    std::string sql =
        "INSERT INTO impression_rows (id, mailing, timestamp, ip, user_agent, destination, "
        "profile, subprofile, extra, first_seen, changed_at) VALUES ";
    int parameter = shared_parameters;
    for (std::size_t row = 0; row < rows; ++row) {
        sql += row == 0 ? "(" : ", (";
        for (int i = 0; i < row_parameters; ++i) {
            sql += "?" + std::to_string(++parameter) + ", ";
        }
        sql += "?1, ?2)";
    }
    sql += " ON CONFLICT (id) DO UPDATE SET changed_at = excluded.changed_at, removed_at = NULL";
    std::string differs = " WHERE removed_at IS NOT NULL";
    for (const std::string_view column : {"mailing", "timestamp", "ip", "user_agent", "destination",
                                          "profile", "subprofile", "extra"}) {
        const std::string name(column);
        sql += ", " + name + " = excluded." + name;
        differs += " OR " + name + " IS NOT excluded." + name;
    }
    return sql + differs;
}

// The unary plus keeps the planner at the rows' own tree, where the IDs lead, and away from the
// index of all removed rows.
std::string removed_sql() {
    std::string sql =
        "SELECT count(*) FROM impression_rows WHERE +removed_at IS NOT NULL AND id IN (";
    for (std::size_t i = 1; i <= batch_size; ++i) {
        sql += (i == 1 ? "?" : ", ?") + std::to_string(i);
    }
    return sql + ")";
}

}  // namespace

RowWriter::RowWriter(sqlite3* connection)
    : connection_(connection),
      user_agents_(connection),
      upsert_many_(connection, upsert_sql(batch_size)),
      upsert_one_(connection, upsert_sql(1)),
      removed_(connection, removed_sql()) {
    sqlite3_update_hook(connection_, &RowWriter::on_change, this);
}

RowWriter::~RowWriter() {
    sqlite3_update_hook(connection_, nullptr, nullptr);
}

void RowWriter::on_change(void* self, int operation, const char* /*database*/, const char* table,
                          long long row) {
    // User agents come by here, too, and whatever a trigger of the user's touches.
    if (std::string_view(table) != "impression_rows") {
        return;
    }
    auto* writer = static_cast<RowWriter*>(self);
    writer->inserted_ += operation == SQLITE_INSERT ? 1 : 0;
    writer->updated_ += operation == SQLITE_UPDATE ? 1 : 0;
    if (operation == SQLITE_INSERT && writer->inserted_ids_ != nullptr) {
        writer->inserted_ids_->push_back(row);
    }
}

void RowWriter::write(std::span<const Impression> rows, const WriteTimes& times,
                      bool look_for_removed, RowCounts& counts) {
    while (!rows.empty()) {
        const auto batch = rows.first(std::min(rows.size(), batch_size));
        rows = rows.subspan(batch.size());
        if (look_for_removed) {
            counts.returned += count_removed(batch);
        }
        if (batch.size() == batch_size) {
            write_batch(upsert_many_, batch, times, counts);
        } else {
            for (std::size_t i = 0; i < batch.size(); ++i) {
                write_batch(upsert_one_, batch.subspan(i, 1), times, counts);
            }
        }
    }
}

void RowWriter::write_batch(RowStatement& upsert, std::span<const Impression> rows,
                            const WriteTimes& times, RowCounts& counts) {
    upsert.bind(1, times.now);
    upsert.bind(2, times.changed_at);
    int parameter = shared_parameters;
    for (const Impression& row : rows) {
        upsert.bind(++parameter, row.id);
        upsert.bind(++parameter, row.mailing);
        upsert.bind(++parameter, row.timestamp);
        upsert.bind(++parameter, row.ip);
        upsert.bind(++parameter, user_agents_.number(row.useragent, row.device));
        upsert.bind(++parameter, row.destination);
        upsert.bind(++parameter, row.profile);
        upsert.bind(++parameter, row.subprofile);
        upsert.bind(++parameter, row.extra);
    }
    inserted_ = 0;
    updated_ = 0;
    inserted_ids_ = counts.inserted_ids;
    upsert.run();
    inserted_ids_ = nullptr;
    counts.inserted += inserted_;
    counts.updated += updated_;
    counts.unchanged += rows.size() - inserted_ - updated_;
}

std::uint64_t RowWriter::count_removed(std::span<const Impression> rows) {
    for (std::size_t i = 0; i < batch_size; ++i) {
        const int parameter = static_cast<int>(i) + 1;
        if (i < rows.size()) {
            removed_.bind(parameter, rows[i].id);
        } else {
            removed_.bind_null(parameter);
        }
    }
    return static_cast<std::uint64_t>(removed_.run().value_or(0));
}

}  // namespace mirror::storage
