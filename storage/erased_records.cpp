#include "storage/erased_records.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "core/record/plain_forms.hpp"
#include "core/record/privacy.hpp"
#include "core/sync/metadata.hpp"
#include "core/time/text.hpp"
#include "storage/metadata.hpp"
#include "storage/seconds.hpp"

namespace mirror::storage {
namespace {

namespace json = boost::json;

// FNV-1a: the same in every version of the program. Below zero, since no usable ID is.
std::int64_t number_of(const std::string& record) {
    std::uint64_t hash = 14695981039346656037U;
    for (const char c : record) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 1099511628211U;
    }
    return -static_cast<std::int64_t>(hash >> 2U) - 1;
}

ErasedKey key_of(const Stream& stream, const Reject& reject, LocalTime window_begin) {
    return key_of_reject(stream, reject.id, reject.time, reject.record, window_begin);
}

// As the page decoder reads it: under the stream's key, or if that has nothing, under the other
// one.
std::optional<std::int64_t> plain_id_of(const Stream& stream, const std::string& record) {
    boost::system::error_code failed;
    const json::value parsed = json::parse(record, failed);
    const json::object* const object = failed ? nullptr : parsed.if_object();
    if (object == nullptr) {
        return std::nullopt;
    }
    const json::value* id = object->if_contains(stream.id);
    if (id == nullptr || id->is_null()) {
        id = object->if_contains(stream.id == "id" ? "ID" : "id");
    }
    if (id == nullptr || !(id->is_string() || id->is_number())) {
        return std::nullopt;
    }
    if (const json::string* const text = id->if_string()) {
        return read_plain_id(std::string_view(text->data(), text->size()));
    }
    json::error_code inexact;
    const auto number = id->to_number<std::int64_t>(inexact);
    return !inexact && number > 0 ? std::optional(number) : std::nullopt;
}

}  // namespace

// By what is always kept: it is the same record if [privacy] changes.
ErasedKey key_of_reject(const Stream& stream, std::optional<std::int64_t> id,
                        std::optional<LocalTime> time, const std::string& record,
                        LocalTime window_begin) {
    constexpr Privacy least{Privacy::Addresses::none, Privacy::UserAgents::none};
    if (!id) {
        id = plain_id_of(stream, record);
    }
    return {id ? *id : number_of(cut_json(least, record).value_or(record)),
            time.value_or(window_begin)};
}

std::optional<LocalTime> erased_before(SQLite::Database& sql, const Stream& stream) {
    const auto text = Facts(sql, stream).get(sync::metadata::erased_before);
    return text ? parse_local(*text) : std::nullopt;
}

std::vector<ErasureRule> unfinished_rules(SQLite::Database& sql, const Stream& stream) {
    std::vector<ErasureRule> rules;
    SQLite::Statement query(sql, "SELECT kind, value FROM erasures WHERE stream = ?");
    query.bind(1, std::string(stream.name));
    while (query.executeStep()) {
        if (const auto rule =
                read_rule(query.getColumn(0).getString(), query.getColumn(1).getString())) {
            rules.push_back(*rule);
        }
    }
    return rules;
}

void ErasedRecords::load() {
    bound_ = erased_before(sql_, stream_);
    rules_ = unfinished_rules(sql_, stream_);
    SQLite::Statement query(sql_, "SELECT 1 FROM erased WHERE stream = ? LIMIT 1");
    query.bind(1, std::string(stream_.name));
    remembers_ = query.executeStep();
}

bool ErasedRecords::hides(const Row& row) {
    return (bound_ && row.time < *bound_) || matches_any(rules_, stream_, row) ||
           is_remembered({row.id, row.time});
}

// One without a time is old enough if its whole window is.
bool ErasedRecords::hides(const Reject& reject, const Window& window) {
    if (bound_ && (reject.time ? *reject.time < *bound_ : window.end <= zone_.earliest(*bound_))) {
        return true;
    }
    return std::any_of(
               rules_.begin(), rules_.end(),
               [&](const ErasureRule& rule) { return matches_json(rule, reject.record); }) ||
           is_remembered(key_of(stream_, reject, zone_.to_local(window.begin)));
}

// A record that was erased may have another time by now. But nobody promises that IDs are unique.
bool ErasedRecords::is_remembered(const ErasedKey& key) {
    if (!remembers_) {
        return false;
    }
    if (!look_up_) {
        look_up_ = std::make_unique<RowStatement>(sql_.getHandle(), R"(
            SELECT CASE WHEN count(*) = 0 THEN 0 WHEN max(timestamp = ?3) THEN 2 ELSE 1 END
            FROM erased WHERE stream = ?1 AND id = ?2)");
    }
    std::array<char, local_text_size> time{};
    write_local(key.time, time.data());
    look_up_->bind(1, stream_.name);
    look_up_->bind(2, key.id);
    look_up_->bind(3, std::string_view(time.data(), time.size()));
    const std::int64_t found = look_up_->run().value_or(0);
    return found == 2 || (found == 1 && !is_another_record(key));
}

// One that the file has beside the erased one.
bool ErasedRecords::is_another_record(const ErasedKey& key) const {
    SQLite::Statement query(sql_, "SELECT EXISTS (SELECT 1 FROM " + std::string(stream_.table) +
                                      " WHERE id = ?1) OR EXISTS (SELECT 1 FROM rejects "
                                      "WHERE stream = ?2 AND id = ?1 AND timestamp = ?3)");
    query.bind(1, key.id);
    query.bind(2, std::string(stream_.name));
    query.bind(3, format_local(key.time));
    query.executeStep();
    return query.getColumn(0).getInt() != 0;
}

// What lies before the bound needs no memory.
void ErasedRecords::take_out(sync::WholeWindow& whole, Instant now) {
    if (!any()) {
        return;
    }
    const LocalTime window_begin = zone_.to_local(whole.window.begin);
    Seen seen;
    const auto note = [&](const ErasedKey& key) {
        if (!bound_ || key.time >= *bound_) {
            ++seen[key];
        }
    };
    std::vector<std::size_t> places;
    PackedRows::Reader reader = whole.records.rows.read();
    while (const Row* const row = reader.next()) {
        if (hides(*row)) {
            places.push_back(reader.place());
            note({row->id, row->time});
        }
    }
    for (const std::size_t place : places) {
        whole.records.rows.remove(place);
    }
    std::erase_if(whole.records.rejects, [&](const Reject& reject) {
        const bool hidden = hides(reject, whole.window);
        if (hidden) {
            note(key_of(stream_, reject, window_begin));
        }
        return hidden;
    });
    for (const auto& [key, copies] : seen) {
        remember(key, copies, std::nullopt);
    }
    for (const ErasedKey& key : shown_within(whole.proven)) {
        if (!seen.contains(key)) {
            remember(key, 1, seconds(now));
        }
    }
}

std::vector<ErasedKey> ErasedRecords::missing_from(const sync::WholeWindow& whole) const {
    std::vector<ErasedKey> missing;
    if (!remembers_) {
        return missing;
    }
    std::vector<ErasedKey> shown;
    PackedRows::Reader reader = whole.records.rows.read();
    while (const Row* const row = reader.next()) {
        shown.push_back({row->id, row->time});
    }
    for (const Reject& reject : whole.records.rejects) {
        shown.push_back(key_of(stream_, reject, zone_.to_local(whole.window.begin)));
    }
    std::sort(shown.begin(), shown.end());
    for (const ErasedKey& key : shown_within(whole.proven)) {
        if (!std::binary_search(shown.begin(), shown.end(), key)) {
            missing.push_back(key);
        }
    }
    return missing;
}

std::vector<ErasedKey> ErasedRecords::shown_within(const Window& proven) const {
    std::vector<ErasedKey> keys;
    if (proven.empty()) {
        return keys;
    }
    const LocalPeriod span = zone_.span(proven);
    SQLite::Statement query(sql_,
                            "SELECT id, timestamp FROM erased WHERE stream = ? "
                            "AND timestamp >= ? AND timestamp < ? AND gone_at IS NULL");
    query.bind(1, std::string(stream_.name));
    query.bind(2, format_local(span.begin));
    query.bind(3, format_local(span.end));
    while (query.executeStep()) {
        if (const auto time = parse_local(query.getColumn(1).getString())) {
            keys.push_back({query.getColumn(0).getInt64(), *time});
        }
    }
    return keys;
}

void ErasedRecords::remember(const ErasedKey& key, std::int64_t copies,
                             std::optional<std::int64_t> gone_at) {
    SQLite::Statement upsert(sql_, R"(
        INSERT INTO erased (stream, id, timestamp, copies, gone_at) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (stream, id, timestamp) DO UPDATE SET
            copies = CASE WHEN ?5 IS NULL THEN excluded.copies ELSE copies END,
            gone_at = excluded.gone_at
        WHERE gone_at IS NOT excluded.gone_at OR copies <> excluded.copies)");
    upsert.bind(1, std::string(stream_.name));
    upsert.bind(2, key.id);
    upsert.bind(3, format_local(key.time));
    upsert.bind(4, copies);
    if (gone_at) {
        upsert.bind(5, *gone_at);
    }
    upsert.exec();
}

}  // namespace mirror::storage
