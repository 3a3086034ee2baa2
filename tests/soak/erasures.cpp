#include "tests/soak/erasures.hpp"

#include <algorithm>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

#include "core/util/ip_address.hpp"
#include "tests/soak/world.hpp"

namespace mirror::soak {

using storage::ErasureRule;
using Kind = ErasureRule::Kind;

ErasureRule Erasures::any(const std::vector<simulator::TrueRow>& shown) {
    const simulator::TrueRow row = dice_.one_of(shown);
    ErasureRule rule;
    const auto address = row.ip ? read_ip_address(*row.ip) : std::nullopt;
    if (row.profile && dice_.in(40)) {
        rule.kind = Kind::profile;
        rule.id = *row.profile;
    } else if (address && dice_.in(40)) {
        rule.kind = Kind::ip;
        rule.address = *address;
    } else {
        rule.kind = Kind::destination;
        rule.id = row.destination.value_or(0);
    }
    rules_.push_back(rule);
    return rule;
}

bool Erasures::asked_for(const simulator::TrueRow& row) const {
    return std::any_of(rules_.begin(), rules_.end(), [&row](const ErasureRule& rule) {
        switch (rule.kind) {
            case Kind::profile:
                return row.profile == rule.id;
            case Kind::destination:
                return row.destination == rule.id;
            case Kind::ip:
                return row.ip && read_ip_address(*row.ip) == rule.address;
            case Kind::before:
                break;  // never asked for here
        }
        return false;
    });
}

void Erasures::expect_right(const std::filesystem::path& file, const History& history) const {
    const std::set<std::int64_t> erased = erased_ids(file);
    for (const simulator::TrueRow& row : rows_of(file)) {
        if (erased.contains(row.id)) {
            throw Broken(fmt::format("row {} was erased, and is in the file", row.id));
        }
    }
    for (const std::int64_t id : erased) {
        const auto course = history.courses().find(id);
        const bool known = course != history.courses().end();
        if (!known || std::none_of(course->second.states.begin(), course->second.states.end(),
                                   [this](const History::State& state) {
                                       return state.row && asked_for(*state.row);
                                   })) {
            throw Broken(fmt::format("row {} was erased, and nobody asked for that", id));
        }
    }
}

std::set<std::int64_t> erased_ids(const std::filesystem::path& file) {
    std::set<std::int64_t> ids;
    if (!is_made(file)) {
        return ids;
    }
    SQLite::Database sql(file.string(), SQLite::OPEN_READONLY);
    SQLite::Statement select(sql, "SELECT id FROM erased");
    while (select.executeStep()) {
        ids.insert(select.getColumn(0).getInt64());
    }
    return ids;
}

void expect_none_unfinished(const std::filesystem::path& file) {
    SQLite::Database sql(file.string(), SQLite::OPEN_READONLY);
    if (sql.execAndGet("SELECT count(*) FROM erasures").getInt64() != 0) {
        throw Broken("an erasure is not finished");
    }
}

}  // namespace mirror::soak
