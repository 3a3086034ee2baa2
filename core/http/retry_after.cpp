#include "core/http/retry_after.hpp"

#include <algorithm>

#include "core/http/http_date.hpp"

namespace mirror::http {

std::optional<Seconds> parse_retry_after(std::string_view text, Instant now) {
    constexpr Seconds year = std::chrono::hours(24) * 365;
    if (!text.empty() &&
        std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
        Seconds seconds{0};
        for (const char c : text) {
            seconds = std::min(year, seconds * 10 + Seconds(c - '0'));
        }
        return seconds;
    }
    if (const auto date = parse_http_date(text)) {
        return std::clamp<Seconds>(*date - now, Seconds(0), year);
    }
    return std::nullopt;
}

}  // namespace mirror::http
