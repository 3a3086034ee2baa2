#include "core/copernica/record_builder.hpp"

#include <algorithm>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "core/record/plain_forms.hpp"
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

bool is_object_or_list(RecordBuilder::Kind kind, std::string_view text) {
    return kind == RecordBuilder::Kind::literal && (is_object(text) || text.starts_with('['));
}

// Of a value in JSON, for people.
std::string name_of_type(std::string_view json) {
    switch (json.front()) {
        case '{':
            return "an object";
        case '[':
            return "a list";
        case '"':
            return "a text";
        case 't':
        case 'f':
        case 'n':
            return std::string(json);
        default:
            return "a number";
    }
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

void RecordBuilder::begin_page(const Stream& stream, const Secrets* mask, const Privacy& privacy) {
    if (keys_.stream() != &stream) {
        keys_ = RecordKeys(stream);
    }
    mask_ = mask;
    privacy_ = privacy;
    any_usual_id_ = false;
    any_usual_time_ = false;
    pending_.clear();
    pending_bytes_ = 0;
}

void RecordBuilder::end_page(Page& page) {
    for (Pending& pending : pending_) {
        if (is_accepted(pending.found)) {
            if (!page.unusual_form) {
                page.unusual_form = std::move(pending.form);
            }
            page.rows.push_back(pending.row);
        } else {
            page.rejects.push_back(std::move(pending.reject));
        }
    }
    if (!pending_.empty()) {
        std::sort(page.rejects.begin(), page.rejects.end(),
                  [](const Reject& a, const Reject& b) { return a.position < b.position; });
    }
    pending_.clear();
    pending_bytes_ = 0;
}

bool RecordBuilder::is_accepted(const Identifiers& found) const {
    return !(found.plain_id && any_usual_id_) && !(found.plain_time && any_usual_time_);
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

bool RecordBuilder::is_text(const Value& value) {
    return value.kind == Kind::number || value.kind == Kind::string;
}

std::optional<std::int64_t> RecordBuilder::integer(const Value& value) const {
    if (!is_text(value)) {
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
        fits = is_object_or_list(value.kind, as_text);
    }
    return fits ? std::optional(as_text) : std::nullopt;
}

// Mailings have their ID under "id", other records under "ID". Null if neither has one. As always,
// the last one counts if a key comes twice.
const RecordBuilder::Unknown* RecordBuilder::id_under_other_key() const {
    const auto field = std::find_if(unknown_.rbegin(), unknown_.rend(), [&](const Unknown& one) {
        const auto key = std::string_view(text_).substr(one.key_begin, one.key_length);
        return key == "id" || key == "ID";
    });
    return field != unknown_.rend() && is_text(field->value) ? &*field : nullptr;
}

RecordBuilder::Identifiers RecordBuilder::read_identifiers() const {
    Identifiers found;
    const Value& id = known_[RecordKeys::id];
    const auto given_id = integer(id);
    if (given_id && *given_id > 0) {
        found.id = given_id;
    } else {
        const Unknown* const other = is_null_or_absent(id) ? id_under_other_key() : nullptr;
        found.id = read_plain_id(is_text(id)        ? text(id)
                                 : other != nullptr ? text(other->value)
                                                    : std::string_view());
        found.plain_id = found.id.has_value();
    }
    const Value& timestamp = known_[RecordKeys::timestamp];
    if (timestamp.kind == Kind::string) {
        found.time = parse_local(text(timestamp));
        if (!found.time) {
            found.time = read_plain_time(text(timestamp));
            found.plain_time = found.time.has_value();
        }
    }
    return found;
}

std::string RecordBuilder::unusual_form(const Identifiers& found) {
    if (found.plain_time) {
        return "the timestamp " + shown(known_[RecordKeys::timestamp]);
    }
    const Value& id = known_[RecordKeys::id];
    const Unknown* const other = is_null_or_absent(id) ? id_under_other_key() : nullptr;
    if (other != nullptr) {
        return "the ID in the field \"" + text_.substr(other->key_begin, other->key_length) + "\"";
    }
    return "the ID " + shown(id);
}

void RecordBuilder::finish(Page& page, TextPool& entries) {
    const Identifiers found = read_identifiers();
    any_usual_id_ = any_usual_id_ || (found.id && !found.plain_id);
    any_usual_time_ = any_usual_time_ || (found.time && !found.plain_time);
    if (found.is_usual()) {
        page.rows.push_back(row_of(found, page, entries));
        return;
    }
    Reject reject = reject_of(found, page);
    if (!found.id || !found.time) {
        page.rejects.push_back(std::move(reject));
        return;
    }
    Pending pending;
    pending.found = found;
    pending.form = unusual_form(found);
    pending_bytes_ += reject.record.size() + reject.reason.size() + sizeof(Pending);
    pending.reject = std::move(reject);
    pending.row = row_of(found, page, entries);
    pending_.push_back(std::move(pending));
}

// What is not in the usual form counts as unreadable here.
Reject RecordBuilder::reject_of(const Identifiers& found, const Page& page) {
    const Value& timestamp = known_[RecordKeys::timestamp];
    Reject reject;
    reject.position = records(page);
    if (!found.plain_id) {
        reject.id = found.id;
    }
    if (!found.plain_time) {
        reject.time = found.time;
    }
    if (timestamp.kind == Kind::string) {
        reject.timestamp = std::string(text(timestamp));
    }
    if (!reject.id) {
        reject.reason = "no usable ID: " + shown(known_[RecordKeys::id]);
    }
    if (!reject.time) {
        reject.reason += reject.reason.empty() ? "" : "; ";
        reject.reason += "no usable timestamp: " + shown(timestamp);
    }
    reject.record = kept_json(whole_record());
    mask(reject);
    return reject;
}

// Changes known_: nothing else may be read from the record afterwards.
Row RecordBuilder::row_of(const Identifiers& found, Page& page, TextPool& entries) {
    Row row;
    row.id = *found.id;
    row.time = *found.time;
    known_[RecordKeys::id].to_extra = found.plain_id;
    known_[RecordKeys::timestamp].to_extra = found.plain_time;
    bool any_extra = !unknown_.empty() || found.plain_id || found.plain_time;
    for (std::size_t i = RecordKeys::timestamp + 1; i < keys_.size(); ++i) {
        Value& value = known_[i];
        if (is_null_or_absent(value)) {
            continue;
        }
        if (keys_[i].field != nullptr) {
            place(value, *keys_[i].field, row, page, entries);
        } else {
            place_nested(value, keys_[i], row, page);
        }
        any_extra = any_extra || value.to_extra;
    }
    if (any_extra) {
        if (!privacy_.cuts()) {
            row.extra = keep(extra(), page);
        } else if (const auto kept = cut_extra(privacy_, extra())) {
            row.extra = keep(*kept, page);
        }
    }
    return row;
}

std::string RecordBuilder::kept_json(std::string_view json) const {
    return privacy_.cuts() ? cut_json(privacy_, json).value_or("null") : std::string(json);
}

std::string_view RecordBuilder::keep(std::string_view text, Page& page) const {
    return mask_ != nullptr && mask_->occurs_in(text) ? page.texts.keep(mask_->mask(text))
                                                      : page.texts.keep(text);
}

std::string_view RecordBuilder::keep_entry(std::string_view text, TextPool& entries) const {
    if (const auto known = entries.find(text)) {
        return *known;
    }
    return mask_ != nullptr && mask_->occurs_in(text) ? entries.keep(mask_->mask(text))
                                                      : entries.keep(text);
}

void RecordBuilder::mask(Reject& reject) const {
    if (mask_ == nullptr || !mask_->occurs_in(reject.record)) {
        return;
    }
    reject.record = mask_->mask(reject.record);
    if (reject.timestamp) {
        reject.timestamp = mask_->mask(*reject.timestamp);
    }
    // It shows the beginning of a value, which may end within the token.
    reject.reason = "unusable, and the access token is in it";
}

// Puts a value into the row's slot, or marks it for `extra`.
void RecordBuilder::place(Value& value, const Field& field, Row& row, Page& page,
                          TextPool& entries) {
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
    if (may_cut(privacy_, field)) {
        const std::optional<std::string> kept = cut(privacy_, field, *as_text);
        if (kept) {
            place(*kept, field, row, page, entries);
        }
    } else {
        place(*as_text, field, row, page, entries);
    }
}

void RecordBuilder::place(std::string_view text, const Field& field, Row& row, Page& page,
                          TextPool& entries) const {
    if (field.kind == FieldKind::dictionary) {
        Entry& entry = row.entries[field.slot];
        (field.second ? entry.second : entry.first) = keep_entry(text, entries);
    } else {
        row.texts[field.slot] = keep(text, page);
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
            row.texts[field->slot] = keep({found.data(), found.size()}, page);
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

// A field's value for people: short, on one line. Reasons come into the log, so nothing of an
// object is shown: an address may be in it.
std::string RecordBuilder::shown(const Value& value) {
    if (value.kind == Kind::absent) {
        return "absent";
    }
    const std::string_view literal = text(value);
    if (is_object_or_list(value.kind, literal)) {
        return name_of_type(literal);
    }
    json_.clear();
    write(value);
    return printable(kept_json(json_.text()), shown_characters);
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
    reject.position = records(page);
    reject.record = kept_json(json);
    reject.reason = "not an object: " + name_of_type(json);
    mask(reject);
    page.rejects.push_back(std::move(reject));
}

}  // namespace mirror::copernica
