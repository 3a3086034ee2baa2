#include "daemon/status/status_json.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "core/time/text.hpp"
#include "core/util/printable.hpp"

namespace mirror::daemon {
namespace {

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
    object["rewritten_rows"] =
        status.rewritten ? boost::json::value(*status.rewritten) : boost::json::value(nullptr);
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
    const storage::KeptData& kept = status.kept;
    const bool rewriting = std::any_of(all.begin(), all.end(),
                                       [](const Status& one) { return one.rewritten.has_value(); });
    object["privacy"] = {{"ip", name_of(kept.privacy.ip)},
                         {"useragent", name_of(kept.privacy.useragent)},
                         {"since", json_time(kept.since)},
                         {"least_ip", name_of(kept.narrowest.ip)},
                         {"least_useragent", name_of(kept.narrowest.useragent)},
                         {"mix", rewriting || kept.some_have_less()}};
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

}  // namespace mirror::daemon
