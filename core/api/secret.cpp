#include "core/api/secret.hpp"

#include <algorithm>
#include <cstddef>

namespace mirror::api {
namespace {

constexpr std::string_view replacement = "[token]";

int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

// How many characters at the begin of `text` stand for `c`, as it is or as a URL writes it; 0
// where they do not.
std::size_t length_of(char c, std::string_view text) {
    if (!text.empty() && (text[0] == c || (text[0] == '+' && c == ' '))) {
        return 1;
    }
    if (text.size() < 3 || text[0] != '%' || hex_digit(text[1]) < 0 || hex_digit(text[2]) < 0) {
        return 0;
    }
    return static_cast<char>(hex_digit(text[1]) * 16 + hex_digit(text[2])) == c ? 3 : 0;
}

// How many characters at the begin of `text` spell the secret; 0 where they do not.
std::size_t length_of(std::string_view secret, std::string_view text) {
    std::size_t length = 0;
    for (const char c : secret) {
        const std::size_t next = length_of(c, text.substr(length));
        if (next == 0) {
            return 0;
        }
        length += next;
    }
    return length;
}

}  // namespace

std::string Secret::redact(std::string_view text) const {
    std::string result;
    while (!text.empty()) {
        const std::size_t length = length_of(text_, text);
        if (length > 0) {
            result += replacement;
        } else {
            result += text.front();
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return result;
}

}  // namespace mirror::api
