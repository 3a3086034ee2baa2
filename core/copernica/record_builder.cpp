#include "core/copernica/record_builder.hpp"

#include <optional>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "core/time/text.hpp"
#include "core/util/decimal.hpp"
#include "core/util/printable.hpp"

namespace mirror::copernica {
namespace {

namespace json = boost::json;

constexpr std::size_t shown_characters = 60;

bool is_object(std::string_view literal) {
    return literal.starts_with('{');
}

// The last part of a nested field's name.
std::string_view member_name(const Field& field) {
    return field.name.substr(field.name.find('.') + 1);
}

// Whether every member is one of the fields, and of a kind that they take. Null counts as absent.
bool all_fit(const json::object& object, const std::vector<const Field*>& fields) {
    std::size_t known = 0;
    for (const Field* const field : fields) {
        const json::value* const member = object.if_contains(member_name(*field));
        known += member != nullptr ? 1 : 0;
        if (member != nullptr && !member->is_null() && !member->is_string()) {
            return false;
        }
    }
    return known == object.size();
}

}  // namespace

void RecordBuilder::set_stream(const Stream& stream) {
    if (keys_.stream() != &stream) {
        keys_ = RecordKeys(stream);
    }
}

void RecordBuilder::begin() {
    known_.assign(keys_.size(), {});
    keys_.begin();
    current_ = keys_.size();
    unknown_.clear();
    text_.clear();
}

void RecordBuilder::key(std::string_view key) {
    current_ = keys_.find(key);
    if (current_ == keys_.size()) {
        Unknown& unknown = unknown_.emplace_back();
        unknown.key_begin = text_.size();
        unknown.key_length = key.size();
        text_ += key;
    }
}

void RecordBuilder::value(Kind kind, std::string_view text) {
    Value& value = current_ == keys_.size() ? unknown_.back().value : known_[current_];
    value.kind = kind;
    value.begin = text_.size();
    value.length = text.size();
    text_ += text;
}

std::string_view RecordBuilder::text(const Value& value) const {
    return std::string_view(text_).substr(value.begin, value.length);
}

bool RecordBuilder::is_null_or_absent(const Value& value) {
    return value.kind == Kind::absent || value.kind == Kind::null;
}

std::optional<std::int64_t> RecordBuilder::integer(const Value& value) const {
    if (value.kind != Kind::number && value.kind != Kind::string) {
        return std::nullopt;
    }
    return read_decimal<std::int64_t>(text(value));
}

// The value as the text that a field of this kind keeps; nothing if the field does not take it.
std::optional<std::string_view> RecordBuilder::text_for(FieldKind kind, const Value& value) const {
    const std::string_view as_text = text(value);
    bool fits = value.kind == Kind::string;
    if (kind == FieldKind::text_or_number) {
        fits = fits || value.kind == Kind::number;
    } else if (kind == FieldKind::json) {
        fits = value.kind == Kind::literal && (is_object(as_text) || as_text.starts_with('['));
    }
    return fits ? std::optional(as_text) : std::nullopt;
}

void RecordBuilder::finish(Page& page, RepeatedTexts& repeated) {
    const auto given_id = integer(known_[RecordKeys::id]);
    const std::optional<std::int64_t> id = given_id && *given_id > 0 ? given_id : std::nullopt;
    const Value& timestamp = known_[RecordKeys::timestamp];
    const std::optional<LocalTime> time =
        timestamp.kind == Kind::string ? parse_local(text(timestamp)) : std::nullopt;
    if (!id || !time) {
        reject(page, id, time);
        return;
    }
    Row& row = page.rows.emplace_back();
    row.id = *id;
    row.time = *time;
    bool any_extra = !unknown_.empty();
    for (std::size_t i = RecordKeys::timestamp + 1; i < keys_.size(); ++i) {
        Value& value = known_[i];
        if (is_null_or_absent(value)) {
            continue;
        }
        if (keys_[i].field != nullptr) {
            place(value, *keys_[i].field, row, page, repeated);
        } else {
            place_nested(value, keys_[i], row, page);
        }
        any_extra = any_extra || value.to_extra;
    }
    if (any_extra) {
        row.extra = page.texts.keep(extra());
    }
}

void RecordBuilder::reject(Page& page, std::optional<std::int64_t> id,
                           std::optional<LocalTime> time) {
    const Value& timestamp = known_[RecordKeys::timestamp];
    Reject reject;
    reject.position = page.records();
    reject.id = id;
    reject.time = time;
    if (timestamp.kind == Kind::string) {
        reject.timestamp = std::string(text(timestamp));
    }
    if (!id) {
        reject.reason = "no usable ID: " + shown(known_[RecordKeys::id]);
    }
    if (!time) {
        reject.reason += reject.reason.empty() ? "" : "; ";
        reject.reason += "no usable timestamp: " + shown(timestamp);
    }
    reject.record = std::string(whole_record());
    page.rejects.push_back(std::move(reject));
}

// Puts a value into the row's slot, or marks it for `extra`.
void RecordBuilder::place(Value& value, const Field& field, Row& row, Page& page,
                          RepeatedTexts& repeated) {
    if (field.kind == FieldKind::integer) {
        row.integers[field.slot] = integer(value);
        value.to_extra = !row.integers[field.slot];
        return;
    }
    const std::optional<std::string_view> as_text = text_for(field.kind, value);
    value.to_extra = !as_text;
    if (!as_text) {
        return;
    }
    if (field.kind == FieldKind::dictionary) {
        Entry& entry = row.entries[field.slot];
        (field.second ? entry.second : entry.first) = repeated.keep(*as_text, page.texts);
    } else {
        row.texts[field.slot] = page.texts.keep(*as_text);
    }
}

// An object whose members are fields. One that says more than they hold goes to `extra` as well.
void RecordBuilder::place_nested(Value& value, const RecordKeys::Key& key, Row& row, Page& page) {
    const std::string_view literal = text(value);
    if (value.kind != Kind::literal || !is_object(literal)) {
        value.to_extra = true;
        return;
    }
    const json::value parsed = json::parse({literal.data(), literal.size()});
    const json::object& object = parsed.get_object();
    value.to_extra = !all_fit(object, key.nested);
    for (const Field* const field : key.nested) {
        const json::value* const member = object.if_contains(member_name(*field));
        if (member != nullptr && member->is_string()) {
            const json::string& found = member->get_string();
            row.texts[field->slot] = page.texts.keep({found.data(), found.size()});
        }
    }
}

void RecordBuilder::write(const Value& value) {
    if (value.kind == Kind::string) {
        json_.string(text(value));
    } else if (value.kind == Kind::null) {
        json_.json("null");
    } else {
        json_.json(text(value));
    }
}

// A field's value for people: short, on one line.
std::string RecordBuilder::shown(const Value& value) {
    if (value.kind == Kind::absent) {
        return "absent";
    }
    json_.clear();
    write(value);
    return printable(json_.text(), shown_characters);
}

std::string_view RecordBuilder::whole_record() {
    json_.clear();
    json_.begin_object();
    for (const Unknown& field : unknown_) {
        json_.key(std::string_view(text_).substr(field.key_begin, field.key_length));
        write(field.value);
    }
    for (std::size_t i = 0; i < keys_.size(); ++i) {
        if (known_[i].kind != Kind::absent) {
            json_.key(keys_[i].name);
            write(known_[i]);
        }
    }
    json_.end_object();
    return json_.text();
}

// The record without what is in its columns.
std::string_view RecordBuilder::extra() {
    for (Value& value : known_) {
        if (!value.to_extra) {
            value.kind = Kind::absent;
        }
    }
    return whole_record();
}

void RecordBuilder::reject_value(Page& page, std::string_view json) {
    Reject reject;
    reject.position = page.records();
    reject.reason = "no object: " + printable(json, shown_characters);
    reject.record = std::string(json);
    page.rejects.push_back(std::move(reject));
}

}  // namespace mirror::copernica
