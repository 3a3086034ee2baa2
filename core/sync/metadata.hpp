// Keys of the table `mirror` that the sync code writes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/time/instant.hpp"
#include "core/util/decimal.hpp"

namespace mirror::sync::metadata {

/// Local time, as the API writes it: from where on a whole count has agreed with the file.
inline constexpr const char* counted_from = "counted_from";
/// UTC seconds, the server's clock: when that was.
inline constexpr const char* counted_at = "counted_at";
/// How the last whole count differed, for people, and the API's less the file's; empty if it
/// agreed.
inline constexpr const char* count_difference = "count_difference";
inline constexpr const char* rows_missing = "rows_missing";
/// Local time, as the API writes it: what is older was erased, and is not stored again.
inline constexpr const char* erased_before = "erased_before";
/// Seconds: how long rows are kept, as last configured; empty: for ever.
inline constexpr const char* keep = "keep";
/// How far back the mirror is to reach, UTC seconds.
inline constexpr const char* wanted_from = "wanted_from";
/// UTC seconds, the server's clock: since when the mirror follows the account.
inline constexpr const char* following_since = "following_since";
/// UTC seconds, the server's clock: what is known of the horizon (plan::Horizon); empty: nothing.
inline constexpr const char* horizon = "horizon";
inline constexpr const char* horizon_age = "horizon_age";  ///< seconds
inline constexpr const char* horizon_pending = "horizon_pending";
inline constexpr const char* horizon_pending_at = "horizon_pending_at";
/// How many rows of the file are older than the horizon.
inline constexpr const char* rows_before_horizon = "rows_before_horizon";
/// UTC seconds, the server's clock: how far the sweep is (plan::SweepState).
inline constexpr const char* sweep_began = "sweep_began";
inline constexpr const char* sweep_position = "sweep_position";
inline constexpr const char* sweep_read_at = "sweep_read_at";
/// By how many whole hours the account's zone is behind the configured one; empty: it is not, as
/// far as is known.
inline constexpr const char* zone_behind = "zone_behind";
/// What that rests on: by how many whole hours the account's zone seems to be behind the configured
/// one, and how many visits in a row said so (plan::ZoneEvidence).
inline constexpr const char* zone_behind_hours = "zone_behind_hours";
inline constexpr const char* zone_behind_times = "zone_behind_times";
/// UTC seconds, the server's clock: when a warning of this machine's clock was last given.
inline constexpr const char* clock_warned = "clock_warned";
/// Requests a UTC day at the most, as last configured; 0: no limit.
inline constexpr const char* requests_per_day = "requests_per_day";
/// How many seconds of the past a page held when a command was stopped; empty after one that ended
/// by itself.
inline constexpr const char* page_seconds = "page_seconds";
/// UTC seconds, this machine's clock.
inline constexpr const char* last_success = "last_success";
inline constexpr const char* last_error_at = "last_error_at";
inline constexpr const char* failing_since = "failing_since";  ///< empty after a success
inline constexpr const char* last_audit_at = "last_audit_at";
/// What the last audit found, for people; and whether all agreed after it: 1, else 0.
inline constexpr const char* last_audit = "last_audit";
inline constexpr const char* last_audit_agrees = "last_audit_agrees";
/// Records of a page that the API delivers, and the size of pages that fail
/// (plan::PageSize::Known); empty while pages of full size pass.
inline constexpr const char* page_size = "page_size";
inline constexpr const char* page_size_that_fails = "page_size_that_fails";
/// The version of the API, and where the stream's call was found there: "ms" or "draganddrop".
inline constexpr const char* api_version = "api_version";
inline constexpr const char* api_paths = "api_paths";
/// Requests a second that the API takes; empty while that is what is configured.
inline constexpr const char* request_rate = "request_rate";
/// For people; empty after a success.
inline constexpr const char* last_error = "last_error";

/// Instants are UTC seconds.
inline std::string seconds_text(Instant at) {
    return std::to_string(at.time_since_epoch().count());
}

/// The time that the text names; empty if the text is absent or does not name a time from 1970 to
/// the year 9999.
inline std::optional<Instant> read_instant(const std::optional<std::string>& text) {
    const auto seconds = text ? read_decimal<std::int64_t>(*text) : std::nullopt;
    constexpr std::int64_t year_10000 = 253'402'300'800;
    if (!seconds || *seconds < 0 || *seconds >= year_10000) {
        return std::nullopt;
    }
    return Instant(Seconds(*seconds));
}

}  // namespace mirror::sync::metadata
