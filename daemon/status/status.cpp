#include "daemon/status/status.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "core/sync/metadata.hpp"
#include "core/time/text.hpp"
#include "core/time/zone.hpp"
#include "core/util/decimal.hpp"

namespace mirror::daemon {
namespace {

namespace facts = sync::metadata;

std::optional<std::string> text_fact(const storage::StreamStatus& file, const char* key) {
    const auto found = file.facts.find(key);
    if (found == file.facts.end() || found->second.empty()) {
        return std::nullopt;
    }
    return found->second;
}

std::optional<std::int64_t> signed_fact(const storage::StreamStatus& file, const char* key) {
    const auto text = text_fact(file, key);
    std::int64_t number = 0;
    if (!text ||
        std::from_chars(text->data(), text->data() + text->size(), number).ec != std::errc()) {
        return std::nullopt;
    }
    return number;
}

std::optional<Instant> instant_fact(const storage::StreamStatus& file, const char* key) {
    const auto seconds = signed_fact(file, key);
    return seconds ? std::optional(Instant(Seconds(*seconds))) : std::nullopt;
}

// Absent, or none: 0.
std::uint64_t number_fact(const storage::StreamStatus& file, const char* key) {
    const auto text = text_fact(file, key);
    return text ? read_decimal<std::uint64_t>(*text).value_or(0) : 0;
}

// Why the newest run that met the gap could not fill it.
std::optional<std::string> reason_for(const Window& gap, const storage::StreamStatus& file) {
    for (const storage::StoredRun& run : file.runs) {
        for (const plan::UnreadWindow& unread : run.run.unread) {
            if (!intersection(unread.window, gap).empty()) {
                return unread.reason;
            }
        }
    }
    return std::nullopt;
}

std::vector<Gap> gaps_of(const storage::StreamStatus& file) {
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

}  // namespace

Status assess(const storage::FileStatus& file, const Stream& which, Instant now) {
    Status status;
    status.stream = &which;
    const storage::StreamStatus& stream = file.of(which);
    status.account = file.account;
    status.time_zone = file.time_zone;
    if (!stream.coverage.empty()) {
        status.complete = stream.coverage.windows().back();
        const Instant server_now = now + file.server_clock_offset.value_or(Seconds(0));
        status.lag = std::max(server_now - status.complete->end, Seconds(0));
    }
    status.wanted_from = instant_fact(stream, facts::wanted_from);
    status.gaps = gaps_of(stream);
    status.rows = stream.rows;
    status.rejects = stream.rejects;
    status.removed = stream.removed;
    status.doubts = stream.doubts;
    status.last_success = instant_fact(stream, facts::last_success);
    status.last_error = text_fact(stream, facts::last_error);
    if (status.last_error) {
        status.last_error_at = instant_fact(stream, facts::last_error_at);
        status.failing_since = instant_fact(stream, facts::failing_since);
    }
    status.lateness = stream.lateness;
    status.last_audit = text_fact(stream, facts::last_audit);
    status.last_audit_at = instant_fact(stream, facts::last_audit_at);
    if (const auto agrees = text_fact(stream, facts::last_audit_agrees)) {
        status.audit_agrees = *agrees == "1";
    }
    status.count_difference = text_fact(stream, facts::count_difference);
    status.request_rate = text_fact(stream, facts::request_rate);
    status.api_version = read_decimal<unsigned>(text_fact(stream, facts::api_version).value_or(""));
    status.api_paths = text_fact(stream, facts::api_paths);
    status.horizon = instant_fact(stream, facts::horizon);
    status.rows_before_horizon = number_fact(stream, facts::rows_before_horizon);
    if (const auto before = text_fact(stream, facts::erased_before)) {
        status.erased_before = parse_local(*before);
    }
    if (status.complete && status.erased_before) {
        const Instant kept_from = Zone(file.time_zone).earliest(*status.erased_before);
        status.complete->begin =
            std::max(status.complete->begin, std::min(kept_from, status.complete->end));
    }
    if (const std::uint64_t keep = number_fact(stream, facts::keep)) {
        status.keep = Seconds(static_cast<std::int64_t>(keep));
    }
    status.erasing = stream.erasing;
    status.erased_bytes_left = file.erased_bytes_left;
    status.kept = file.kept;
    if (stream.rewriting) {
        status.rewritten = std::min(stream.rewriting->rows, stream.rows);
    }
    const auto began = instant_fact(stream, facts::sweep_began);
    const auto position = instant_fact(stream, facts::sweep_position);
    if (began && position) {
        status.sweep = Status::Sweep{*began, *position};
    }
    status.zone_behind = std::chrono::hours(number_fact(stream, facts::zone_behind));
    status.rows_missing = signed_fact(stream, facts::rows_missing);
    const std::uint64_t per_day = number_fact(stream, facts::requests_per_day);
    status.requests =
        count_requests(file.requests, now, per_day > 0 ? std::optional(per_day) : std::nullopt);
    status.database_bytes = file.database_bytes;
    status.wal_bytes = file.wal_bytes;
    return status;
}

Statuses assess_all(const storage::FileStatus& file, const std::vector<const Stream*>& followed,
                    Instant now) {
    Statuses all;
    for (const Stream& stream : streams()) {
        const storage::StreamStatus& known = file.of(stream);
        const bool is_followed =
            std::find(followed.begin(), followed.end(), &stream) != followed.end();
        if (is_followed || known.rows > 0 || !known.coverage.empty()) {
            all.push_back(assess(file, stream, now));
            all.back().followed = is_followed;
        }
    }
    // Requests are the file's: their budget is what the streams that are followed noted.
    const auto noted =
        std::find_if(all.begin(), all.end(), [](const Status& status) { return status.followed; });
    if (noted != all.end()) {
        const RequestCounts requests = noted->requests;
        for (Status& status : all) {
            status.requests = requests;
        }
    }
    return all;
}

const Status& worst_of(const Statuses& all) {
    const auto badness = [](const Status& status) {
        return std::tuple(status.followed, status.last_error.has_value(), !status.complete,
                          status.lag.value_or(Seconds(0)));
    };
    return *std::max_element(all.begin(), all.end(), [&](const Status& left, const Status& right) {
        return badness(left) < badness(right);
    });
}

}  // namespace mirror::daemon
