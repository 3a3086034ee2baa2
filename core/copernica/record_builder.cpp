#include "core/copernica/record_builder.hpp"

#include <algorithm>

#include "core/time/text.hpp"
#include "core/util/decimal.hpp"
#include "core/util/printable.hpp"

namespace mirror::copernica {
namespace {

constexpr std::size_t shown_characters = 60;

}  // namespace

// Records nearly always have their fields in the order of the one before.
RecordBuilder::Field RecordBuilder::field_of(std::string_view key) {
    Field& guess = after_[current_];
    if (guess == field_count || names[guess] != key) {
        const auto place = std::find(names.begin(), names.end(), key);
        guess = static_cast<Field>(place - names.begin());
    }
    return guess;
}

void RecordBuilder::begin() {
    known_.fill({});
    current_ = field_count;
    unknown_.clear();
    text_.clear();
    extra_.fill(false);
    any_extra_ = false;
}

void RecordBuilder::key(std::string_view key) {
    current_ = field_of(key);
    if (current_ == field_count) {
        unknown_.push_back({text_.size(), key.size(), {}});
        text_ += key;
    }
}

void RecordBuilder::value(Kind kind, std::string_view text) {
    Value& value = current_ == field_count ? unknown_.back().value : known_[current_];
    value = {kind, text_.size(), text.size()};
    text_ += text;
}

std::string_view RecordBuilder::text(const Value& value) const {
    return std::string_view(text_).substr(value.begin, value.length);
}

std::optional<std::int64_t> RecordBuilder::integer(Field field) const {
    const Value& value = known_[field];
    if (value.kind != Kind::number && value.kind != Kind::string) {
        return std::nullopt;
    }
    return read_decimal<std::int64_t>(text(value));
}

bool RecordBuilder::is_null_or_absent(Field field) const {
    return known_[field].kind == Kind::absent || known_[field].kind == Kind::null;
}

std::optional<std::int64_t> RecordBuilder::integer_or_extra(Field field) {
    const auto result = integer(field);
    if (!result && !is_null_or_absent(field)) {
        extra_[field] = any_extra_ = true;
    }
    return result;
}

std::optional<std::string_view> RecordBuilder::text_or_extra(Field field) {
    if (known_[field].kind == Kind::string) {
        return text(known_[field]);
    }
    if (!is_null_or_absent(field)) {
        extra_[field] = any_extra_ = true;
    }
    return std::nullopt;
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
std::string RecordBuilder::shown(Field field) {
    if (known_[field].kind == Kind::absent) {
        return "absent";
    }
    json_.clear();
    write(known_[field]);
    return printable(json_.text(), shown_characters);
}

std::string_view RecordBuilder::whole_record() {
    json_.clear();
    json_.begin_object();
    for (const Unknown& field : unknown_) {
        json_.key(std::string_view(text_).substr(field.key_begin, field.key_length));
        write(field.value);
    }
    for (std::size_t field = 0; field < field_count; ++field) {
        if (known_[field].kind != Kind::absent) {
            json_.key(names[field]);
            write(known_[field]);
        }
    }
    json_.end_object();
    return json_.text();
}

void RecordBuilder::finish(Page& page, RepeatedTexts& repeated) {
    const auto given_id = integer(field_id);
    const std::optional<std::int64_t> id = given_id && *given_id > 0 ? given_id : std::nullopt;
    const Value& timestamp = known_[field_timestamp];
    const std::optional<LocalTime> time =
        timestamp.kind == Kind::string ? parse_local(text(timestamp)) : std::nullopt;
    if (!id || !time) {
        Reject reject;
        reject.position = page.records();
        reject.id = id;
        reject.time = time;
        if (timestamp.kind == Kind::string) {
            reject.timestamp = std::string(text(timestamp));
        }
        if (!id) {
            reject.reason = "no usable ID: " + shown(field_id);
        }
        if (!time) {
            reject.reason += reject.reason.empty() ? "" : "; ";
            reject.reason += "no usable timestamp: " + shown(field_timestamp);
        }
        reject.record = std::string(whole_record());
        page.rejects.push_back(std::move(reject));
        return;
    }

    Impression row;
    row.id = *id;
    row.time = *time;
    row.mailing = integer_or_extra(field_mailing);
    row.destination = integer_or_extra(field_destination);
    row.profile = integer_or_extra(field_profile);
    row.subprofile = integer_or_extra(field_subprofile);
    if (const auto ip = text_or_extra(field_ip)) {
        row.ip = page.texts.keep(*ip);
    }
    if (const auto useragent = text_or_extra(field_useragent)) {
        row.useragent = repeated.keep(*useragent, page.texts);
    }
    if (const auto device = text_or_extra(field_device)) {
        row.device = repeated.keep(*device, page.texts);
    }
    if (any_extra_ || !unknown_.empty()) {
        // What stands above is in its columns.
        for (std::size_t field = 0; field < field_count; ++field) {
            if (!extra_[field]) {
                known_[field].kind = Kind::absent;
            }
        }
        row.extra = page.texts.keep(whole_record());
    }
    page.rows.push_back(row);
}

void RecordBuilder::reject_value(Page& page, std::string_view json) {
    Reject reject;
    reject.position = page.records();
    reject.reason = "no object: " + printable(json, shown_characters);
    reject.record = std::string(json);
    page.rejects.push_back(std::move(reject));
}

}  // namespace mirror::copernica
