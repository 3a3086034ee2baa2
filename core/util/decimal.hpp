// Whole numbers as text, in the one form that we take: digits, no plus, no leading zeros.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace mirror {

/// Reads canonical decimal digits, for a signed type with an optional '-'. Nothing if it is
/// anything else ("-0", "007", "1.0", " 1") or does not fit.
template <class Integer>
std::optional<Integer> read_decimal(std::string_view text) {
    const bool negative = !text.empty() && text.front() == '-';
    const std::string_view digits = negative ? text.substr(1) : text;
    if (digits.empty() || (digits.front() == '0' && (digits.size() > 1 || negative))) {
        return std::nullopt;
    }
    Integer value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

}  // namespace mirror
