#include "tests/soak/history.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

#include "core/time/text.hpp"
#include "core/time/window.hpp"
#include "tests/soak/world.hpp"

namespace mirror::soak {
namespace {

using Held = std::map<std::int64_t, simulator::TrueRow>;

// What is covered at an age, with the time that a second must have had to settle before.
struct Proof {
    Seconds age;
    WindowSet covered;
};

std::vector<Proof> proofs_of(const std::filesystem::path& file, Seconds settle) {
    std::vector<Proof> proofs;
    SQLite::Database sql(file.string(), SQLite::OPEN_READONLY);
    SQLite::Statement ages(sql, "SELECT DISTINCT age FROM coverage ORDER BY age");
    while (ages.executeStep()) {
        const std::int64_t age = ages.getColumn(0).getInt64();
        proofs.push_back({age == 0 ? settle : Seconds(age), covered(file, age)});
    }
    return proofs;
}

// The periods that wait for a second read: rows that are missing there are not marked yet.
WindowSet doubted(const std::filesystem::path& file) {
    WindowSet windows;
    SQLite::Database sql(file.string(), SQLite::OPEN_READONLY);
    SQLite::Statement doubts(sql, R"(SELECT "begin", "end" FROM doubts)");
    while (doubts.executeStep()) {
        windows.add({Instant(Seconds(doubts.getColumn(0).getInt64())),
                     Instant(Seconds(doubts.getColumn(1).getInt64()))});
    }
    return windows;
}

// The earliest time at which the file may have read a row of this second.
std::optional<Instant> proven_at(const std::vector<Proof>& proofs, Instant at) {
    std::optional<Instant> proven;
    for (const Proof& proof : proofs) {
        if (proof.covered.contains({at, at + Seconds(1)})) {
            const Instant read = at + Seconds(1) + proof.age;
            proven = proven ? std::max(*proven, read) : read;
        }
    }
    return proven;
}

std::string words(const std::optional<simulator::TrueRow>& row) {
    if (!row) {
        return "not there";
    }
    return fmt::format("profile {}, useragent {}", row->profile ? *row->profile : 0,
                       row->useragent.value_or("NULL"));
}

// It was dropped for its age, or is hidden for now: the file may keep it as it was last shown, or
// as it was read once.
bool may_be_kept(const History::Course& course, const std::optional<simulator::TrueRow>& held) {
    if (course.doubled || (course.expired && !held)) {
        return true;
    }
    return (course.expired || course.hidden) && held &&
           std::any_of(course.states.begin(), course.states.end(),
                       [&held](const History::State& state) { return state.row == held; });
}

// A second's replies may be of before or after a change in that same second.
bool was_so(const std::vector<History::State>& states, std::optional<Instant> since,
            const std::optional<simulator::TrueRow>& held) {
    if (!held && (!since || states.empty() || *since <= states.front().from)) {
        return true;
    }
    for (std::size_t i = 0; i < states.size(); ++i) {
        const bool last = i + 1 == states.size();
        const bool lasted = !since || last || states[i + 1].from >= *since;
        if (lasted && states[i].row == held) {
            return true;
        }
    }
    return false;
}

}  // namespace

void History::observe(const std::vector<simulator::TrueRow>& shown, Instant now, const Rows& rows) {
    for (const simulator::TrueRow& row : shown) {
        Course& course = courses_[row.id];
        course.at = rows.known().at(row.id).at;
        if (course.states.empty() || course.states.back().row != row) {
            course.states.push_back({now, row});
        }
    }
    for (auto& [id, course] : courses_) {
        const auto place = std::lower_bound(
            shown.begin(), shown.end(), id,
            [](const simulator::TrueRow& row, std::int64_t wanted) { return row.id < wanted; });
        const bool is_shown = place != shown.end() && place->id == id;
        course.hidden = rows.hidden().contains(id);
        course.expired = rows.excuses().expired.contains(id) || rows.excuses().unknown.contains(id);
        course.doubled = rows.excuses().doubled.contains(id);
        if (!is_shown && !course.expired && course.states.back().row) {
            course.states.push_back({now, std::nullopt});
        }
    }
}

void expect_no_older_than_proven(const std::filesystem::path& file, const History& history,
                                 Seconds settle, const std::set<std::int64_t>& erased) {
    if (!is_made(file)) {
        return;
    }
    Held held;
    for (simulator::TrueRow& row : rows_of(file)) {
        held.emplace(row.id, std::move(row));
    }
    const std::vector<Proof> proofs = proofs_of(file, settle);
    const WindowSet in_doubt = doubted(file);
    for (const auto& [id, course] : history.courses()) {
        std::optional<simulator::TrueRow> now;
        if (const auto found = held.find(id); found != held.end()) {
            now = found->second;
            held.erase(found);
        }
        if (erased.contains(id)) {
            continue;  // see Erasures::expect_right()
        }
        const std::optional<Instant> since = proven_at(proofs, course.at);
        if (now && in_doubt.contains({course.at, course.at + Seconds(1)})) {
            continue;
        }
        if (!may_be_kept(course, now) && !was_so(course.states, since, now)) {
            std::string states;
            for (const History::State& state : course.states) {
                states += fmt::format("\n  from {}: {}", format_utc(state.from), words(state.row));
            }
            throw Broken(fmt::format("row {} of {} is in the file: {}; proven {}; the API:{}", id,
                                     format_utc(course.at), words(now),
                                     since ? format_utc(*since) : "never", states));
        }
    }
    if (!held.empty()) {
        throw Broken(fmt::format("row {} was never shown by the API", held.begin()->first));
    }
}

}  // namespace mirror::soak
