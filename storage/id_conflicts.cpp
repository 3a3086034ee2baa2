#include "storage/id_conflicts.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include "core/record/row_json.hpp"
#include "core/time/text.hpp"

namespace mirror::storage {

RowRule IdConflicts::rule_of(const sync::WholeWindow& whole) const {
    RowRule rule;
    rule.proven = zone_.span(whole.proven);
    if (whole.records.repeated_ids.empty()) {
        return rule;
    }
    std::map<std::int64_t, std::vector<LocalTime>> times;
    for (const std::int64_t id : whole.records.repeated_ids) {
        times[id];
    }
    PackedRows::Reader reader = whole.records.rows.read();
    while (const Row* const row = reader.next()) {
        const auto found = times.find(row->id);
        if (found != times.end()) {
            found->second.push_back(row->time);
        }
    }
    for (const auto& [id, all] : times) {
        if (!all.empty()) {
            rule.chosen[id] = chosen_of(id, all, rule.proven);
        }
    }
    return rule;
}

// The record that is the row stays it as long as the API shows it; of new records the earliest
// becomes the row.
LocalTime IdConflicts::chosen_of(std::int64_t id, const std::vector<LocalTime>& times,
                                 const LocalPeriod& proven) const {
    SQLite::Statement held(sql_, "SELECT timestamp FROM " + std::string(stream_.table) +
                                     " WHERE id = ? AND removed_at IS NULL");
    held.bind(1, id);
    const std::optional<LocalTime> row =
        held.executeStep() ? parse_local(held.getColumn(0).getString()) : std::nullopt;
    const bool shown = row && std::find(times.begin(), times.end(), *row) != times.end();
    const bool elsewhere = row && (*row < proven.begin || *row >= proven.end);
    if (shown || elsewhere) {
        return *row;
    }
    return *std::min_element(times.begin(), times.end());
}

Reject IdConflicts::reject_of(const IdConflict& conflict) const {
    Reject reject;
    reject.id = conflict.record.id;
    reject.time = conflict.record.time;
    reject.timestamp = format_local(conflict.record.time);
    reject.reason = "another record has its ID: " + std::to_string(conflict.record.id) +
                    ", that of " + format_local(conflict.row_time);
    reject.record = json_of(stream_, conflict.record);
    return reject;
}

bool IdConflicts::known(const Reject& reject) const {
    SQLite::Statement found(sql_, "SELECT 1 FROM rejects WHERE stream = ? AND record = ?");
    found.bind(1, std::string(stream_.name));
    found.bind(2, reject.record);
    return found.executeStep();
}

Window IdConflicts::seconds_of(LocalTime time) const {
    return {zone_.align_down(zone_.earliest(time)),
            zone_.align_up(zone_.latest(time) + Seconds(1))};
}

std::vector<LocalTime> IdConflicts::kept_with(const std::vector<std::int64_t>& ids) const {
    std::vector<LocalTime> times;
    if (ids.empty()) {
        return times;
    }
    SQLite::Statement kept(sql_,
                           "SELECT timestamp FROM rejects "
                           "WHERE stream = ? AND id = ? AND timestamp IS NOT NULL");
    kept.bind(1, std::string(stream_.name));
    for (const std::int64_t id : ids) {
        kept.bind(2, id);
        while (kept.executeStep()) {
            if (const auto time = parse_local(kept.getColumn(0).getString())) {
                times.push_back(*time);
            }
        }
        kept.reset();
    }
    return times;
}

}  // namespace mirror::storage
