#include "core/util/secret.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace mirror {
namespace {

constexpr std::string_view replacement = "[token]";

// What is shorter may stand in other people's texts by chance; access tokens are much longer.
constexpr std::size_t shortest_unmistakable = 12;

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string longest_alphanumeric_part(std::string_view text) {
    std::string_view longest;
    while (!text.empty()) {
        const auto end = std::find_if_not(text.begin(), text.end(), is_alphanumeric);
        const auto length = static_cast<std::size_t>(end - text.begin());
        if (length > longest.size()) {
            longest = text.substr(0, length);
        }
        text.remove_prefix(std::min(text.size(), length + 1));
    }
    return std::string(longest);
}

bool is_hex_digit(char digit, unsigned value) {
    constexpr std::string_view lower = "0123456789abcdef";
    constexpr std::string_view upper = "0123456789ABCDEF";
    return digit == lower[value] || digit == upper[value];
}

// How many bytes at the beginning of `text` stand for `c`; 0: it stands for something else.
std::size_t length_of(std::string_view text, char c) {
    const auto byte = static_cast<unsigned char>(c);
    if (text.size() >= 3 && text[0] == '%' && is_hex_digit(text[1], byte >> 4) &&
        is_hex_digit(text[2], byte & 15U)) {
        return 3;
    }
    if (text.size() >= 2 && text[0] == '\\' && text[1] == c &&
        (c == '"' || c == '\\' || c == '/')) {
        return 2;
    }
    return !text.empty() && (text[0] == c || (text[0] == '+' && c == ' ')) ? 1 : 0;
}

// How many bytes at the beginning of `text` are the secret; 0: something else begins there.
std::size_t length_of(std::string_view text, std::string_view secret) {
    if (text.substr(0, secret.size()) == secret) {
        return secret.size();
    }
    std::size_t at = 0;
    for (const char c : secret) {
        const std::size_t length = length_of(text.substr(at), c);
        if (length == 0) {
            return 0;
        }
        at += length;
    }
    return at;
}

}  // namespace

Secret::Secret(std::string text)
    : text_(std::move(text)), core_(longest_alphanumeric_part(text_)) {}

// Cheap, and true of most texts.
bool Secret::cannot_be_in(std::string_view text) const {
    // No encoding makes it shorter, and only a percent sign hides its letters.
    return text_.empty() || text.size() < text_.size() ||
           (text.find(core_) == std::string_view::npos && text.find('%') == std::string_view::npos);
}

std::string Secret::redact(std::string_view text) const {
    if (cannot_be_in(text)) {
        return std::string(text);
    }
    std::string result;
    while (!text.empty()) {
        const std::size_t length = length_of(text, text_);
        if (length > 0) {
            result += replacement;
            text.remove_prefix(length);
        } else {
            result += text.front();
            text.remove_prefix(1);
        }
    }
    return result;
}

bool Secret::occurs_in(std::string_view text) const {
    return text_.size() >= shortest_unmistakable && !cannot_be_in(text) && redact(text) != text;
}

}  // namespace mirror
