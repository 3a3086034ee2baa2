#include "daemon/status/status.hpp"

#include <algorithm>
#include <charconv>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "core/sync/metadata.hpp"
#include "core/time/text.hpp"
#include "core/util/decimal.hpp"
#include "core/util/duration_text.hpp"
#include "core/util/printable.hpp"
#include "daemon/cli/terminal_text.hpp"

namespace mirror::daemon {
namespace {

namespace facts = sync::metadata;

constexpr std::size_t longest_line = 1000;

std::optional<std::string> text_fact(const storage::FileStatus& file, const char* key) {
    const auto found = file.facts.find(key);
    if (found == file.facts.end() || found->second.empty()) {
        return std::nullopt;
    }
    return found->second;
}

std::optional<std::int64_t> signed_fact(const storage::FileStatus& file, const char* key) {
    const auto text = text_fact(file, key);
    std::int64_t number = 0;
    if (!text ||
        std::from_chars(text->data(), text->data() + text->size(), number).ec != std::errc()) {
        return std::nullopt;
    }
    return number;
}

std::optional<Instant> instant_fact(const storage::FileStatus& file, const char* key) {
    const auto seconds = signed_fact(file, key);
    return seconds ? std::optional(Instant(Seconds(*seconds))) : std::nullopt;
}

// Absent, or none: 0.
std::uint64_t number_fact(const storage::FileStatus& file, const char* key) {
    const auto text = text_fact(file, key);
    return text ? read_decimal<std::uint64_t>(*text).value_or(0) : 0;
}

// Why the newest run that met the gap could not fill it.
std::optional<std::string> reason_for(const Window& gap, const storage::FileStatus& file) {
    for (const storage::StoredRun& run : file.runs) {
        for (const plan::UnreadWindow& unread : run.run.unread) {
            if (!intersection(unread.window, gap).empty()) {
                return unread.reason;
            }
        }
    }
    return std::nullopt;
}

std::vector<Gap> gaps_of(const storage::FileStatus& file) {
    std::vector<Gap> gaps;
    if (file.coverage.empty()) {
        return gaps;
    }
    const Instant begin = file.coverage.windows().front().begin;
    const Instant end = file.coverage.windows().back().end;
    WindowSet missing(Window{instant_fact(file, facts::wanted_from).value_or(begin), end});
    // Before what is wanted, a `backfill` may have left something out.
    for (const storage::StoredRun& run : file.runs) {
        for (const plan::UnreadWindow& unread : run.run.unread) {
            missing.add(intersection(unread.window, {begin, end}));
        }
    }
    missing.subtract(file.coverage);
    for (const Window& window : missing.windows()) {
        gaps.push_back({window, reason_for(window, file)});
    }
    return gaps;
}

boost::json::value json_text(const std::optional<std::string>& text) {
    return text ? boost::json::value(*text) : boost::json::value(nullptr);
}

// As it stands in the file; null if it is not a number.
boost::json::value json_number(const std::optional<std::string>& text) {
    double number = 0;
    if (!text ||
        std::from_chars(text->data(), text->data() + text->size(), number).ec != std::errc()) {
        return nullptr;
    }
    return number;
}

boost::json::value json_time(const std::optional<Instant>& at) {
    return at ? boost::json::value(format_utc(*at)) : boost::json::value(nullptr);
}

std::string first_line(const Status& status, const Zone& zone) {
    std::string text;
    if (status.last_error) {
        text = "stuck";
        if (status.failing_since) {
            text += " since " + format_local(zone.to_local(*status.failing_since));
        }
        text += ": " + *status.last_error + "\n";
    }
    if (!status.complete) {
        text += "nothing is complete yet";
    } else {
        text += fmt::format("complete from {} to {} ({})",
                            format_local(zone.to_local(status.complete->begin)),
                            format_local(zone.to_local(status.complete->end)), zone.name());
        if (status.lag) {
            text += fmt::format(", {} behind", duration_text(*status.lag));
        }
    }
    if (!status.gaps.empty()) {
        text += fmt::format(", with {} before it",
                            status.gaps.size() == 1 ? std::string("one gap")
                                                    : fmt::format("{} gaps", status.gaps.size()));
    }
    return text;
}

// All of them in one line, by when the last of them can be settled.
std::string doubt_text(const std::vector<storage::Doubt>& doubts, const Zone& zone) {
    std::uint64_t rows = 0;
    Instant noticed = doubts.front().noticed_at;
    for (const storage::Doubt& doubt : doubts) {
        rows += doubt.rows;
        noticed = std::max(noticed, doubt.noticed_at);
    }
    const auto local = [&](Instant at) { return format_local(zone.to_local(at)); };
    return fmt::format(
        "{} rows of {} to {} were missing at {}; they are not marked as removed before a read an "
        "hour later agrees",
        grouped(rows), local(doubts.front().window.begin), local(doubts.back().window.end),
        local(noticed));
}

}  // namespace

std::string zone_behind_text(std::chrono::hours behind, const std::string& zone) {
    return fmt::format(
        "new impressions carry a time that is {} h behind the API's clock: is {} the account's "
        "zone?",
        behind.count(), zone);
}

Status assess(const storage::FileStatus& file, Instant now) {
    Status status;
    status.account = file.account;
    status.time_zone = file.time_zone;
    if (!file.coverage.empty()) {
        status.complete = file.coverage.windows().back();
        const Instant server_now = now + file.server_clock_offset.value_or(Seconds(0));
        status.lag = std::max(server_now - status.complete->end, Seconds(0));
    }
    status.gaps = gaps_of(file);
    status.rows = file.rows;
    status.rejects = file.rejects;
    status.removed = file.removed;
    status.doubts = file.doubts;
    status.last_success = instant_fact(file, facts::last_success);
    status.last_error = text_fact(file, facts::last_error);
    if (status.last_error) {
        status.last_error_at = instant_fact(file, facts::last_error_at);
        status.failing_since = instant_fact(file, facts::failing_since);
    }
    status.lateness = file.lateness;
    status.last_audit = text_fact(file, facts::last_audit);
    status.last_audit_at = instant_fact(file, facts::last_audit_at);
    if (const auto agrees = text_fact(file, facts::last_audit_agrees)) {
        status.audit_agrees = *agrees == "1";
    }
    status.count_difference = text_fact(file, facts::count_difference);
    status.request_rate = text_fact(file, facts::request_rate);
    status.horizon = instant_fact(file, facts::horizon);
    status.rows_before_horizon = number_fact(file, facts::rows_before_horizon);
    const auto began = instant_fact(file, facts::sweep_began);
    const auto position = instant_fact(file, facts::sweep_position);
    if (began && position) {
        status.sweep = Status::Sweep{*began, *position};
    }
    status.zone_behind = std::chrono::hours(number_fact(file, facts::zone_behind));
    status.rows_missing = signed_fact(file, facts::rows_missing);
    const std::uint64_t per_day = number_fact(file, facts::requests_per_day);
    status.requests =
        count_requests(file.requests, now, per_day > 0 ? std::optional(per_day) : std::nullopt);
    status.database_bytes = file.database_bytes;
    status.wal_bytes = file.wal_bytes;
    return status;
}

std::string status_json(const Status& status) {
    boost::json::object object;
    object["account"] = nullptr;
    if (status.account) {
        object["account"] = {{"id", status.account->id}, {"name", status.account->name}};
    }
    object["complete_from"] = nullptr;
    object["complete_through"] = nullptr;
    if (status.complete) {
        object["complete_from"] = format_utc(status.complete->begin);
        object["complete_through"] = format_utc(status.complete->end);
    }
    object["lag_seconds"] =
        status.lag ? boost::json::value(status.lag->count()) : boost::json::value(nullptr);
    object["rows"] = status.rows;
    object["rejects"] = status.rejects;
    object["removed"] = status.removed;
    boost::json::array gaps;
    for (const Gap& gap : status.gaps) {
        gaps.push_back({{"begin", format_utc(gap.window.begin)},
                        {"end", format_utc(gap.window.end)},
                        {"reason", json_text(gap.reason)}});
    }
    object["gaps"] = std::move(gaps);
    boost::json::array doubts;
    for (const storage::Doubt& doubt : status.doubts) {
        doubts.push_back({{"begin", format_utc(doubt.window.begin)},
                          {"end", format_utc(doubt.window.end)},
                          {"noticed_at", format_utc(doubt.noticed_at)},
                          {"rows", doubt.rows}});
    }
    object["doubts"] = std::move(doubts);
    object["last_success"] = json_time(status.last_success);
    object["last_error"] = json_text(status.last_error);
    object["last_error_at"] = json_time(status.last_error_at);
    object["failing_since"] = json_time(status.failing_since);
    object["lateness"] = nullptr;
    if (status.lateness) {
        object["lateness"] = {{"rows", status.lateness->rows},
                              {"median_seconds", status.lateness->median.count()},
                              {"p99_seconds", status.lateness->percentile_99.count()},
                              {"max_seconds", status.lateness->largest.count()}};
    }
    object["last_audit"] = nullptr;
    if (status.last_audit) {
        object["last_audit"] = {{"at", json_time(status.last_audit_at)},
                                {"found", *status.last_audit}};
    }
    object["count_difference"] = json_text(status.count_difference);
    object["request_rate"] = json_number(status.request_rate);
    object["horizon"] = json_time(status.horizon);
    object["rows_before_horizon"] = status.rows_before_horizon;
    object["sweep"] = nullptr;
    if (status.sweep) {
        object["sweep"] = {{"began", format_utc(status.sweep->began)},
                           {"position", format_utc(status.sweep->position)}};
    }
    object["zone_behind_hours"] = status.zone_behind.count();
    boost::json::object requests;
    requests["today"] = status.requests.today;
    requests["month"] = status.requests.month;
    requests["expected_month"] = status.requests.expected_month;
    requests["per_day"] = nullptr;
    if (status.requests.per_day) {
        requests["per_day"] = *status.requests.per_day;
    }
    object["requests"] = std::move(requests);
    object["database_bytes"] = status.database_bytes;
    object["wal_bytes"] = status.wal_bytes;
    return printable_json(boost::json::serialize(object)) + "\n";
}

std::string status_text(const Status& status, const Zone& zone, Seconds last_age) {
    const auto local = [&](Instant at) { return format_local(zone.to_local(at)); };
    std::string text = first_line(status, zone) + "\n";
    const auto line = [&](const char* name, const std::string& value) {
        // Names and errors come from outside.
        text += fmt::format("{:<13} {}\n", name, printable(value, longest_line));
    };
    line("account", status.account
                        ? fmt::format("{} ({})", status.account->name, status.account->id)
                        : "not known yet");
    line("rows", fmt::format("{}, {} rejects, {} removed", grouped(status.rows),
                             grouped(status.rejects), grouped(status.removed)));
    constexpr std::size_t most_gaps = 20;
    for (std::size_t i = 0; i < std::min(status.gaps.size(), most_gaps); ++i) {
        const Gap& gap = status.gaps[i];
        line("gap", fmt::format("{} to {}: {}", local(gap.window.begin), local(gap.window.end),
                                gap.reason.value_or("not fetched yet")));
    }
    if (status.gaps.size() > most_gaps) {
        line("gap", fmt::format("and {} more", status.gaps.size() - most_gaps));
    }
    if (!status.doubts.empty()) {
        line("in doubt", doubt_text(status.doubts, zone));
    }
    if (status.count_difference) {
        line("count", fmt::format("{} impressions than the file has", *status.count_difference));
    }
    if (status.lateness) {
        const storage::LatenessSummary& late = *status.lateness;
        line("late rows",
             fmt::format("{}, by {} in the median, {} at the 99th percentile, {} at "
                         "the most",
                         grouped(late.rows), duration_text(late.median),
                         duration_text(late.percentile_99), duration_text(late.largest)));
        if (late.largest > last_age) {
            line("",
                 fmt::format("WARNING: rows come later than the last of recheck_ages ({}); what "
                             "comes later is found by audit only",
                             last_age.count() == 0 ? "none" : duration_text(last_age)));
        }
    }
    if (status.horizon) {
        line("horizon", fmt::format("the API shows nothing before {} any more; {} rows of the file "
                                    "are older and kept",
                                    local(*status.horizon), grouped(status.rows_before_horizon)));
    }
    if (status.sweep) {
        line("sweep", fmt::format("reads everything again since {}, oldest first; now at {}",
                                  local(status.sweep->began), local(status.sweep->position)));
    }
    if (status.zone_behind.count() > 0) {
        line("time zone", zone_behind_text(status.zone_behind, status.time_zone));
    }
    if (status.last_audit) {
        line("last audit",
             status.last_audit_at
                 ? fmt::format("{}: {}", local(*status.last_audit_at), *status.last_audit)
                 : *status.last_audit);
    }
    line("last success", status.last_success ? local(*status.last_success) : "never");
    if (status.last_error) {
        line("last error",
             status.last_error_at
                 ? fmt::format("{}: {}", local(*status.last_error_at), *status.last_error)
                 : *status.last_error);
    }
    if (status.request_rate) {
        line("rate",
             fmt::format("{} requests a second: the API refuses more (429)", *status.request_rate));
    }
    line("requests", requests_text(status.requests));
    line("size", fmt::format("{} MiB, log {} MiB", mebibytes(status.database_bytes),
                             mebibytes(status.wal_bytes)));
    return text;
}

}  // namespace mirror::daemon
