#include "daemon/config/token_text.hpp"

#include <algorithm>

namespace mirror::daemon {
namespace {

// A token has some hundred characters; more is something else.
constexpr std::size_t longest = 16 * 1024;

constexpr std::size_t shortest_token = 20;
// A file's extension: what follows a point in a token is longer.
constexpr std::size_t longest_extension = 8;

constexpr std::string_view not_shown = "[not shown: it looks like a token]";

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

// `word` is in small letters.
bool begins_with_word(std::string_view text, std::string_view word) {
    const auto same = [](char letter, char shown) { return (shown | 0x20) == letter; };
    return text.size() > word.size() && text[word.size()] == ' ' &&
           std::equal(word.begin(), word.end(), text.begin(), same);
}

bool is_quote(char c) {
    return c == '"' || c == '\'' || c == '`';
}

}  // namespace

std::optional<std::string> why_not_a_token(std::string_view text) {
    if (text.size() > longest) {
        return "it is too long";
    }
    if (text.starts_with("\xef\xbb\xbf")) {
        return "it begins with a byte order mark; save it as UTF-8 without one";
    }
    if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff") ||
        text.find('\0') != std::string_view::npos) {
        return "it is UTF-16 text; save it as plain text (UTF-8)";
    }
    if (text.find_first_of("\r\n") != std::string_view::npos) {
        return "it has more than one line; leave the token and nothing else";
    }
    if (begins_with_word(text, "bearer") || begins_with_word(text, "authorization:")) {
        return "it begins with the name of a header; leave the token and nothing else";
    }
    if (contains(text, "access_token=") || contains(text, "://")) {
        return "it is a URL or a part of one; leave the token and nothing else";
    }
    if (text.size() > 1 && is_quote(text.front()) && text.front() == text.back()) {
        return "it has quotes around it; leave the token and nothing else";
    }
    if (!text.empty() && (text.front() == '{' || text.front() == '[')) {
        return "it is JSON; leave the token and nothing else";
    }
    if (std::any_of(text.begin(), text.end(),
                    [](unsigned char c) { return c < 0x20 || c == 0x7f; })) {
        return "it has a control character; copy the token again";
    }
    return std::nullopt;
}

bool looks_like_a_token(std::string_view word) {
    const bool plain = std::all_of(word.begin(), word.end(), [](char c) {
        return is_letter(c) || is_digit(c) || contains("-._~+=", std::string_view(&c, 1));
    });
    if (word.size() < shortest_token || !plain || word.front() == '-') {
        return false;
    }
    const auto point = word.rfind('.');
    if (point != std::string_view::npos && word.size() - point - 1 <= longest_extension) {
        return false;
    }
    return std::any_of(word.begin(), word.end(), is_digit) &&
           std::any_of(word.begin(), word.end(), is_letter);
}

std::string without_tokens(std::string message, const std::vector<std::string>& arguments) {
    for (const std::string& argument : arguments) {
        const auto equals = argument.starts_with("-") ? argument.find('=') : std::string::npos;
        const std::string value =
            equals == std::string::npos ? argument : argument.substr(equals + 1);
        if (!looks_like_a_token(value)) {
            continue;
        }
        for (auto at = message.find(value); at != std::string::npos;
             at = message.find(value, at + not_shown.size())) {
            message.replace(at, value.size(), not_shown);
        }
    }
    return message;
}

}  // namespace mirror::daemon
