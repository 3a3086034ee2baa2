#include "core/util/canonical_json.hpp"

#include <algorithm>

namespace mirror {

void append_json_string(std::string& to, std::string_view text) {
    constexpr char hex[] = "0123456789abcdef";
    to += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            to += '\\';
            to += c;
        } else if (static_cast<unsigned char>(c) >= 0x20) {
            to += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            to += "\\u00";
            to += hex[byte >> 4];
            to += hex[byte & 15];
        }
    }
    to += '"';
}

void CanonicalJson::clear() {
    text_.clear();
    frames_.clear();
    members_.clear();
}

void CanonicalJson::before_value() {
    if (!frames_.empty() && !frames_.back().object && text_.size() > frames_.back().begin + 1) {
        text_ += ',';
    }
}

void CanonicalJson::after_value() {
    if (!frames_.empty() && frames_.back().object) {
        members_.back().end = text_.size();
    }
}

void CanonicalJson::begin_array() {
    before_value();
    frames_.push_back({false, text_.size(), 0});
    text_ += '[';
}

void CanonicalJson::end_array() {
    text_ += ']';
    frames_.pop_back();
    after_value();
}

void CanonicalJson::begin_object() {
    before_value();
    frames_.push_back({true, text_.size(), members_.size()});
}

void CanonicalJson::key(std::string_view key) {
    const std::size_t at = text_.size();
    text_ += key;
    members_.push_back({at, text_.size(), text_.size()});
}

void CanonicalJson::string(std::string_view text) {
    before_value();
    append_json_string(text_, text);
    after_value();
}

void CanonicalJson::json(std::string_view text) {
    before_value();
    text_ += text;
    after_value();
}

std::string_view CanonicalJson::key_of(const Member& member) const {
    return std::string_view(text_).substr(member.key, member.value - member.key);
}

void CanonicalJson::end_object() {
    const Frame frame = frames_.back();
    const auto first = members_.begin() + static_cast<std::ptrdiff_t>(frame.first_member);
    // Equal keys stay in the order in which they came, so that the last one can be told.
    std::sort(first, members_.end(), [this](const Member& a, const Member& b) {
        const int order = key_of(a).compare(key_of(b));
        return order != 0 ? order < 0 : a.key < b.key;
    });
    sorted_ = "{";
    for (auto member = first; member != members_.end(); ++member) {
        if (std::next(member) != members_.end() && key_of(*member) == key_of(*std::next(member))) {
            continue;
        }
        if (sorted_.size() > 1) {
            sorted_ += ',';
        }
        append_json_string(sorted_, key_of(*member));
        sorted_ += ':';
        sorted_.append(text_, member->value, member->end - member->value);
    }
    sorted_ += '}';
    text_.replace(frame.begin, std::string::npos, sorted_);
    members_.erase(first, members_.end());
    frames_.pop_back();
    after_value();
}

}  // namespace mirror
