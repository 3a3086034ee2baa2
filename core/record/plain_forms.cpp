#include "core/record/plain_forms.hpp"

#include <algorithm>
#include <string>

#include "core/time/text.hpp"
#include "core/util/decimal.hpp"

namespace mirror {
namespace {

constexpr std::string_view digits = "0123456789";

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view space = " \t\r\n";
    const std::size_t first = text.find_first_not_of(space);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(space) - first + 1);
}

// Whether it is a point and digits, of which each is in `allowed`.
bool is_fraction(std::string_view text, std::string_view allowed) {
    return text.size() > 1 && text.front() == '.' &&
           text.find_first_not_of(allowed, 1) == std::string_view::npos;
}

}  // namespace

std::optional<std::int64_t> read_plain_id(std::string_view text) {
    text = trimmed(text);
    if (text.starts_with('+')) {
        text.remove_prefix(1);
    }
    const std::size_t end = text.find_first_not_of(digits);
    if (end == 0 || (end != std::string_view::npos && !is_fraction(text.substr(end), "0"))) {
        return std::nullopt;
    }
    text = text.substr(0, end);
    text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
    const auto id = read_decimal<std::int64_t>(text);
    return id && *id > 0 ? id : std::nullopt;
}

std::optional<LocalTime> read_plain_time(std::string_view text) {
    text = trimmed(text);
    if (text.size() < local_text_size || (text[10] != 'T' && text[10] != ' ')) {
        return std::nullopt;
    }
    const std::string_view fraction = text.substr(local_text_size);
    if (!fraction.empty() && !is_fraction(fraction, digits)) {
        return std::nullopt;
    }
    std::string usual(text.substr(0, local_text_size));
    usual[10] = ' ';
    return parse_local(usual);
}

}  // namespace mirror
