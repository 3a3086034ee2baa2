#include "core/util/printable.hpp"

#include <cstdint>
#include <cstdio>

namespace mirror {
namespace {

struct Character {
    std::uint32_t code = 0;
    std::size_t bytes = 0;  // 0: the text does not begin with UTF-8
};

// The first character of a text that is not empty. Overlong forms, surrogates and what lies
// beyond Unicode are not UTF-8.
Character first_character(std::string_view text) {
    const auto byte = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned lead = byte(0);
    if (lead < 0x80) {
        return {lead, 1};
    }
    const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) {
        return {};
    }
    std::uint32_t code = lead & (0x7fU >> bytes);
    for (std::size_t at = 1; at < bytes; ++at) {
        if ((byte(at) & 0xc0U) != 0x80U) {
            return {};
        }
        code = (code << 6) | (byte(at) & 0x3fU);
    }
    constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < smallest[bytes] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
        return {};
    }
    return {code, bytes};
}

bool is_harmful(std::uint32_t code) {
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) ||  // C0, DEL, C1
           code == 0x61c || code == 0x200e || code == 0x200f ||
           (code >= 0x2028 && code <= 0x202e) ||  // separators, directions
           (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

}  // namespace

std::string printable(std::string_view text, std::size_t limit) {
    std::string result;
    for (std::size_t taken = 0; !text.empty(); ++taken) {
        if (taken == limit) {
            return result += "…";
        }
        const Character character = first_character(text);
        char escape[8];
        if (character.bytes == 0) {
            std::snprintf(escape, sizeof escape, "\\x%02x",
                          static_cast<unsigned>(static_cast<unsigned char>(text.front())));
            result += escape;
            text.remove_prefix(1);
            continue;
        }
        if (character.code == '\n') {
            result += "\\n";
        } else if (character.code == '\t') {
            result += "\\t";
        } else if (character.code == '\r') {
            result += "\\r";
        } else if (is_harmful(character.code)) {
            std::snprintf(escape, sizeof escape, "\\u%04x", character.code & 0xffffU);
            result += escape;
        } else {
            result += text.substr(0, character.bytes);
        }
        text.remove_prefix(character.bytes);
    }
    return result;
}

// A serializer escapes C0 itself, so that what is left stands within strings, below U+10000.
std::string printable_json(std::string_view json) {
    return printable(json, std::string_view::npos);
}

}  // namespace mirror
