#include "core/copernica/record_keys.hpp"

#include <algorithm>

namespace mirror::copernica {

RecordKeys::RecordKeys(const Stream& stream) : stream_(&stream) {
    keys_.resize(2);
    keys_[id].name = stream.id;
    for (const Field& field : stream.fields) {
        if (field.kind == FieldKind::timestamp) {
            keys_[timestamp].name = field.name;
            keys_[timestamp].field = &field;
            continue;
        }
        const std::size_t dot = field.name.find('.');
        Key& key = key_of(field.name.substr(0, dot));
        if (dot == std::string_view::npos) {
            key.field = &field;
        } else {
            key.nested.push_back(&field);
        }
    }
    after_.assign(keys_.size() + 1, 0);
    begin();
}

std::size_t RecordKeys::find(std::string_view name) {
    std::size_t& guess = after_[last_];
    if (guess == keys_.size() || keys_[guess].name != name) {
        const auto found = std::find_if(keys_.begin(), keys_.end(),
                                        [&](const Key& key) { return key.name == name; });
        guess = static_cast<std::size_t>(found - keys_.begin());
    }
    last_ = guess;
    return last_;
}

RecordKeys::Key& RecordKeys::key_of(std::string_view name) {
    const auto found =
        std::find_if(keys_.begin(), keys_.end(), [&](const Key& key) { return key.name == name; });
    if (found != keys_.end()) {
        return *found;
    }
    Key& key = keys_.emplace_back();
    key.name = name;
    return key;
}

}  // namespace mirror::copernica
