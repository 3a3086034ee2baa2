#include "core/record/row_json.hpp"

#include <optional>
#include <string_view>

#include "core/time/text.hpp"
#include "core/util/canonical_json.hpp"

namespace mirror {
namespace {

// The value as JSON; empty if it is absent.
std::string json_of(const Field& field, const Row& row) {
    const auto quoted = [](const std::optional<std::string_view>& text) {
        std::string json;
        if (text) {
            append_json_string(json, *text);
        }
        return json;
    };
    switch (field.kind) {
        case FieldKind::timestamp:
            return quoted(format_local(row.time));
        case FieldKind::integer: {
            const std::optional<std::int64_t>& value = row.integers[field.slot];
            return value ? std::to_string(*value) : std::string();
        }
        case FieldKind::dictionary: {
            const Entry& entry = row.entries[field.slot];
            return quoted(field.second ? entry.second : entry.first);
        }
        case FieldKind::json:
            return std::string(row.texts[field.slot].value_or(""));
        case FieldKind::text:
        case FieldKind::text_or_number:
            break;
    }
    return quoted(row.texts[field.slot]);
}

}  // namespace

std::string json_of(const Stream& stream, const Row& row) {
    CanonicalJson json;
    json.begin_object();
    json.key(stream.id);
    json.json(std::to_string(row.id));
    for (const Field& field : stream.fields) {
        const std::string value = json_of(field, row);
        if (!value.empty()) {
            json.key(field.name);
            json.json(value);
        }
    }
    if (row.extra) {
        json.key("extra");
        json.json(*row.extra);
    }
    json.end_object();
    return std::string(json.text());
}

}  // namespace mirror
