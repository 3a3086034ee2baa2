#include "daemon/status/status.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <tuple>
#include <utility>

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

std::string kept_text(const Status& status) {
    std::string text = status.keep ? duration_text(*status.keep) : "for ever";
    if (status.erased_before) {
        text +=
            fmt::format("; what is older than {} was erased", format_local(*status.erased_before));
    }
    return text;
}

}  // namespace

std::string zone_behind_text(std::chrono::hours behind, const std::string& zone) {
    return fmt::format(
        "new rows carry a time that is {} h behind the API's clock: is {} the account's "
        "zone?",
        behind.count(), zone);
}

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
    if (const std::uint64_t keep = number_fact(stream, facts::keep)) {
        status.keep = Seconds(static_cast<std::int64_t>(keep));
    }
    status.erasing = stream.erasing;
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

namespace {

boost::json::object json_of_stream(const Status& status) {
    boost::json::object object;
    object["followed"] = status.followed;
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
    object["api_version"] = nullptr;
    if (status.api_version) {
        object["api_version"] = *status.api_version;
    }
    object["api_paths"] = json_text(status.api_paths);
    object["horizon"] = json_time(status.horizon);
    object["rows_before_horizon"] = status.rows_before_horizon;
    object["sweep"] = nullptr;
    if (status.sweep) {
        object["sweep"] = {{"began", format_utc(status.sweep->began)},
                           {"position", format_utc(status.sweep->position)}};
    }
    object["erased_before"] =
        status.erased_before ? boost::json::value(format_local(*status.erased_before)) : nullptr;
    object["keep_seconds"] = status.keep ? boost::json::value(status.keep->count()) : nullptr;
    object["erasing"] = status.erasing;
    object["zone_behind_hours"] = status.zone_behind.count();
    return object;
}

}  // namespace

std::string status_json(const Statuses& all) {
    const Status& status = worst_of(all);
    boost::json::object object;
    object["account"] = nullptr;
    if (status.account) {
        object["account"] = {{"id", status.account->id}, {"name", status.account->name}};
    }
    std::optional<Instant> through = Instant::max();
    std::optional<Seconds> lag = Seconds(0);
    for (const Status& one : all) {
        if (one.followed) {
            through = through && one.complete ? std::optional(std::min(*through, one.complete->end))
                                              : std::nullopt;
            lag = lag && one.lag ? std::optional(std::max(*lag, *one.lag)) : std::nullopt;
        }
    }
    object["complete_through"] = json_time(through == Instant::max() ? std::nullopt : through);
    object["lag_seconds"] = lag ? boost::json::value(lag->count()) : boost::json::value(nullptr);
    object["last_success"] = json_time(status.last_success);
    object["last_error"] = json_text(status.last_error);
    object["last_error_at"] = json_time(status.last_error_at);
    object["failing_since"] = json_time(status.failing_since);
    boost::json::object by_name;
    for (const Status& one : all) {
        by_name[one.stream->name] = json_of_stream(one);
    }
    object["streams"] = std::move(by_name);
    object["request_rate"] = json_number(status.request_rate);
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

namespace {

// Lines of a name and a text.
class Lines {
  public:
    Lines(std::string first, const Zone& zone) : text_(std::move(first)), zone_(zone) {}

    void add(std::string_view name, const std::string& value) {
        // Names and errors come from outside.
        text_ += fmt::format("{:<13} {}\n", name, printable(value, longest_line));
    }
    void heading(std::string_view name) { text_ += fmt::format("{}:\n", name); }
    std::string local(Instant at) const { return format_local(zone_.to_local(at)); }
    const Zone& zone() const { return zone_; }
    const std::string& text() const { return text_; }

  private:
    std::string text_;
    const Zone& zone_;
};

std::string rows_text(const Status& status) {
    return fmt::format("{}, {} rejects, {} removed", grouped(status.rows), grouped(status.rejects),
                       grouped(status.removed));
}

void add_late_rows(Lines& lines, const storage::LatenessSummary& late, Seconds last_age) {
    lines.add("late rows",
              fmt::format("{}, by {} in the median, {} at the 99th percentile, {} at "
                          "the most",
                          grouped(late.rows), duration_text(late.median),
                          duration_text(late.percentile_99), duration_text(late.largest)));
    if (late.largest > last_age) {
        lines.add("",
                  fmt::format("WARNING: rows come later than the last of recheck_ages ({}); what "
                              "comes later is found by audit only",
                              last_age.count() == 0 ? "none" : duration_text(last_age)));
    }
}

// What there is to say of a stream beside its rows.
void add_details(Lines& lines, const Status& status, Seconds last_age) {
    constexpr std::size_t most_gaps = 20;
    for (std::size_t i = 0; i < std::min(status.gaps.size(), most_gaps); ++i) {
        const Gap& gap = status.gaps[i];
        lines.add("gap",
                  fmt::format("{} to {}: {}", lines.local(gap.window.begin),
                              lines.local(gap.window.end), gap.reason.value_or("not fetched yet")));
    }
    if (status.gaps.size() > most_gaps) {
        lines.add("gap", fmt::format("and {} more", status.gaps.size() - most_gaps));
    }
    if (!status.doubts.empty()) {
        lines.add("in doubt", doubt_text(status.doubts, lines.zone()));
    }
    if (status.count_difference) {
        lines.add("count", fmt::format("{} {} than the file has", *status.count_difference,
                                       status.stream->name));
    }
    if (status.lateness) {
        add_late_rows(lines, *status.lateness, last_age);
    }
    if (status.horizon) {
        lines.add("horizon",
                  fmt::format("the API shows nothing before {} any more; {} rows of the file "
                              "are older and kept",
                              lines.local(*status.horizon), grouped(status.rows_before_horizon)));
    }
    if (status.sweep) {
        lines.add("sweep", fmt::format("reads everything again since {}, oldest first; now at {}",
                                       lines.local(status.sweep->began),
                                       lines.local(status.sweep->position)));
    }
    if (status.erased_before || status.keep) {
        lines.add("kept", kept_text(status));
    }
    if (status.erasing) {
        lines.add("erasing",
                  "an erasure is at work, or was interrupted: then the next command that "
                  "writes to the file finishes it");
    }
    if (status.zone_behind.count() > 0) {
        lines.add("time zone", zone_behind_text(status.zone_behind, status.time_zone));
    }
    if (status.last_audit) {
        lines.add("last audit", status.last_audit_at
                                    ? fmt::format("{}: {}", lines.local(*status.last_audit_at),
                                                  *status.last_audit)
                                    : *status.last_audit);
    }
    lines.add("last success", status.last_success ? lines.local(*status.last_success) : "never");
    if (status.last_error) {
        lines.add("last error", status.last_error_at
                                    ? fmt::format("{}: {}", lines.local(*status.last_error_at),
                                                  *status.last_error)
                                    : *status.last_error);
    }
}

// A stream of several, in one line.
std::string stream_text(const Status& status, const Lines& lines) {
    std::string text = "nothing is complete yet";
    if (status.complete) {
        text = fmt::format("complete from {} to {}", lines.local(status.complete->begin),
                           lines.local(status.complete->end));
    }
    if (status.lag && status.followed) {
        text += fmt::format(", {} behind", duration_text(*status.lag));
    }
    text += fmt::format("; rows {}; {} {}", rows_text(status), status.gaps.size(),
                        status.gaps.size() == 1 ? "gap" : "gaps");
    return status.followed ? text : text + "; not followed any more";
}

}  // namespace

std::string status_text(const Statuses& all, const Zone& zone, Seconds last_age) {
    const Status& status = worst_of(all);
    const bool several = all.size() > 1;
    const std::string which = several ? fmt::format("{}: ", status.stream->name) : "";
    Lines lines(which + first_line(status, zone) + "\n", zone);
    if (several) {
        for (const Status& one : all) {
            lines.add(one.stream->name, stream_text(one, lines));
        }
    }
    lines.add("account", status.account
                             ? fmt::format("{} ({})", status.account->name, status.account->id)
                             : "not known yet");
    if (!several) {
        lines.add("rows", rows_text(status));
        add_details(lines, status, last_age);
    } else {
        for (const Status& one : all) {
            lines.heading(one.stream->name);
            add_details(lines, one, last_age);
        }
    }
    if (status.request_rate) {
        lines.add("rate", fmt::format("{} requests a second: the API refuses more (429)",
                                      *status.request_rate));
    }
    lines.add("requests", requests_text(status.requests));
    lines.add("size", fmt::format("{} MiB, log {} MiB", mebibytes(status.database_bytes),
                                  mebibytes(status.wal_bytes)));
    return lines.text();
}

}  // namespace mirror::daemon
