#include "tests/simulator/encode.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace simulator {
namespace {

struct CodePoint {
    char32_t value;
    std::size_t bytes;  // 0: not valid UTF-8 here
};

CodePoint decode(std::string_view text) {
    const auto byte = [&](std::size_t at) {
        return static_cast<char32_t>(static_cast<unsigned char>(text[at]));
    };
    const char32_t first = byte(0);
    if (first < 0x80) {
        return {first, 1};
    }
    const std::size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < bytes) {
        return {0, 0};
    }
    char32_t value = first & (0x7fU >> bytes);
    for (std::size_t i = 1; i < bytes; ++i) {
        if ((byte(i) & 0xc0U) != 0x80) {
            return {0, 0};
        }
        value = (value << 6U) | (byte(i) & 0x3fU);
    }
    constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
    if (value < smallest[bytes] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) {
        return {0, 0};
    }
    return {value, bytes};
}

void append_unit(std::string& out, std::uint32_t unit) {
    constexpr std::string_view digits = "0123456789abcdef";
    out += "\\u";
    for (unsigned shift = 16; shift > 0; shift -= 4) {
        out += digits[(unit >> (shift - 4)) & 0xfU];
    }
}

void append_code_point(std::string& out, char32_t value) {
    if (value < 0x10000) {
        append_unit(out, static_cast<std::uint32_t>(value));
        return;
    }
    const std::uint32_t rest = static_cast<std::uint32_t>(value) - 0x10000;
    append_unit(out, 0xd800 + (rest >> 10U));
    append_unit(out, 0xdc00 + (rest & 0x3ffU));
}

using Plain = std::array<bool, 256>;

constexpr Plain plain_bytes(bool php) {
    Plain plain{};
    for (std::size_t byte = 0x20; byte < plain.size(); ++byte) {
        plain[byte] = byte != '"' && byte != '\\' && (!php || (byte != '/' && byte < 0x80));
    }
    return plain;
}

void append_number(std::string& out, std::int64_t number) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

void append_text_member(std::string& out, std::string_view name, const std::string& text,
                        Encoding encoding) {
    out += name;
    append_string(out, text, encoding);
}

void append_digits(char* to, unsigned value, unsigned digits) {
    for (unsigned i = digits; i > 0; --i) {
        to[i - 1] = static_cast<char>('0' + value % 10);
        value /= 10;
    }
}

// As mirror::format_local(), without its allocation: the encoder's hot path.
void append_local(std::string& out, mirror::LocalTime local) {
    const auto day = std::chrono::floor<std::chrono::days>(local);
    const std::chrono::year_month_day calendar(day);
    const auto seconds = static_cast<unsigned>((local - day).count());
    char text[] = "0000-00-00 00:00:00";
    append_digits(text, static_cast<unsigned>(static_cast<int>(calendar.year())), 4);
    append_digits(text + 5, static_cast<unsigned>(calendar.month()), 2);
    append_digits(text + 8, static_cast<unsigned>(calendar.day()), 2);
    append_digits(text + 11, seconds / 3600, 2);
    append_digits(text + 14, seconds / 60 % 60, 2);
    append_digits(text + 17, seconds % 60, 2);
    out.append(text, sizeof text - 1);
}

bool is_quoted(FieldForm form, Numbers numbers) {
    return numbers == Numbers::strings ||
           (numbers == Numbers::today && (form == FieldForm::quoted || form == FieldForm::id));
}

void append_number(std::string& out, std::int64_t number, bool quoted) {
    if (quoted) {
        out += '"';
    }
    append_number(out, number);
    if (quoted) {
        out += '"';
    }
}

bool is_decimal(const std::string& text) {
    constexpr std::size_t most_digits = 18;
    return !text.empty() && text.size() <= most_digits && (text.size() == 1 || text[0] != '0') &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

void append_cell(std::string& out, const Field& field, const Cell& cell,
                 const Behaviour& behaviour) {
    if (cell.null) {
        out += "null";
    } else if (cell.text == nullptr) {
        append_number(out, cell.number, is_quoted(field.form, behaviour.numbers));
    } else if (field.form == FieldForm::json ||
               (field.form == FieldForm::loose && behaviour.numbers == Numbers::numbers &&
                is_decimal(*cell.text))) {
        out += *cell.text;
    } else {
        append_string(out, *cell.text, behaviour.encoding);
    }
}

void append_timestamp(std::string& out, const RowView& row, Encoding encoding) {
    if (row.timestamp != nullptr) {
        append_string(out, *row.timestamp, encoding);
    } else {
        out += '"';
        append_local(out, row.local);
        out += '"';
    }
}

void append_name(std::string& out, std::string_view name) {
    out += '"';
    out += name;
    out += "\":";
}

// Closes the object that the field before was in, and opens the field's own.
void change_parent(std::string& out, std::string_view from, std::string_view to) {
    if (from == to) {
        out += ',';
        return;
    }
    if (!from.empty()) {
        out += '}';
    }
    out += ',';
    if (!to.empty()) {
        append_name(out, to);
        out += '{';
    }
}

bool is_profile(const Field& field) {
    return field.name == "profile" || field.name == "subprofile";
}

}  // namespace

std::string valid_utf8(std::string_view text) {
    std::string valid;
    valid.reserve(text.size());
    while (!text.empty()) {
        const CodePoint code = decode(text);
        if (code.bytes == 0) {
            valid += "\xef\xbf\xbd";
            text.remove_prefix(1);
        } else {
            valid += text.substr(0, code.bytes);
            text.remove_prefix(code.bytes);
        }
    }
    return valid;
}

void append_string(std::string& out, std::string_view text, Encoding encoding) {
    static constexpr Plain plain_in_php = plain_bytes(true);
    static constexpr Plain plain_in_utf8 = plain_bytes(false);
    const Plain& plain = encoding == Encoding::php ? plain_in_php : plain_in_utf8;

    out += '"';
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t from = at;
        while (at < text.size() && plain[static_cast<unsigned char>(text[at])]) {
            ++at;
        }
        out.append(text, from, at - from);
        if (at == text.size()) {
            break;
        }
        switch (const char byte = text[at]; byte) {
            case '"':
            case '\\':
            case '/':
                out += '\\';
                out += byte;
                ++at;
                break;
            case '\n':
                out += "\\n";
                ++at;
                break;
            case '\r':
                out += "\\r";
                ++at;
                break;
            case '\b':
                out += "\\b";
                ++at;
                break;
            case '\f':
                out += "\\f";
                ++at;
                break;
            case '\t':
                out += "\\t";
                ++at;
                break;
            default: {
                const CodePoint code = decode(text.substr(at));
                append_code_point(out, code.bytes == 0 ? U'\ufffd' : code.value);
                at += code.bytes == 0 ? 1 : code.bytes;
                break;
            }
        }
    }
    out += '"';
}

void append_record(std::string& out, StreamId stream, const RowView& row,
                   const Behaviour& behaviour) {
    if (row.raw != nullptr) {
        out += *row.raw;
        return;
    }
    std::string_view parent;
    const Cell* cell = row.cells.data();
    for (const Field& field : facts_of(stream).fields) {
        if (field.form == FieldForm::id) {
            out += '{';
            append_name(out, field.name);
            append_number(out, row.id, is_quoted(field.form, behaviour.numbers));
            continue;
        }
        if (field.form == FieldForm::timestamp) {
            change_parent(out, parent, "");
            parent = "";
            append_name(out, field.name);
            append_timestamp(out, row, behaviour.encoding);
            continue;
        }
        const Cell& held = *cell++;
        if (!behaviour.profile_fields && is_profile(field)) {
            continue;
        }
        change_parent(out, parent, field.parent);
        parent = field.parent;
        append_name(out, field.name);
        append_cell(out, field, held, behaviour);
    }
    if (!parent.empty()) {
        out += '}';
    }
    if (row.extra != nullptr) {
        out += ',';
        out += *row.extra;
    }
    if (!behaviour.extra_members.empty()) {
        out += ',';
        out += behaviour.extra_members;
    }
    out += '}';
}

std::string error_body(std::string_view message, Encoding encoding) {
    std::string body = "{\"error\":{\"message\":";
    append_string(body, message, encoding);
    return body + "}}";
}

std::string identity_body(const Identity& identity, Encoding encoding) {
    std::string body;
    append_text_member(body, "{\"id\":", identity.id, encoding);
    append_text_member(body, ",\"name\":", identity.name, encoding);
    append_text_member(body, ",\"description\":", identity.description, encoding);
    append_text_member(body, ",\"company\":", identity.company, encoding);
    return body + "}";
}

}  // namespace simulator
