#include "core/record/text_pool.hpp"

#include <functional>
#include <utility>

namespace mirror {
namespace {

constexpr std::size_t first_slots = 256;

std::uint32_t hash_of(std::string_view text) {
    return static_cast<std::uint32_t>(std::hash<std::string_view>{}(text));
}

}  // namespace

std::optional<std::string_view> TextPool::find(std::string_view text) const {
    if (slots_.empty()) {
        return std::nullopt;
    }
    const Slot& slot = slots_[slot_of(text, hash_of(text))];
    return slot.number == 0 ? std::nullopt : std::optional(texts_[slot.number - 1]);
}

std::string_view TextPool::keep(std::string_view text) {
    // Half of the slots stay free.
    if (texts_.size() * 2 >= slots_.size()) {
        grow();
    }
    const std::uint32_t hash = hash_of(text);
    Slot& slot = slots_[slot_of(text, hash)];
    if (slot.number == 0) {
        texts_.push_back(arena_.keep(text));
        bytes_ += text.size();
        slot = {hash, static_cast<std::uint32_t>(texts_.size())};
    }
    return texts_[slot.number - 1];
}

// Where the text stands, or would stand.
std::size_t TextPool::slot_of(std::string_view text, std::uint32_t hash) const {
    std::size_t at = hash & (slots_.size() - 1);
    while (slots_[at].number != 0 &&
           (slots_[at].hash != hash || texts_[slots_[at].number - 1] != text)) {
        at = (at + 1) & (slots_.size() - 1);
    }
    return at;
}

void TextPool::grow() {
    const std::size_t wanted = slots_.empty() ? first_slots : slots_.size() * 2;
    const std::vector<Slot> before = std::exchange(slots_, std::vector<Slot>(wanted));
    for (const Slot& slot : before) {
        if (slot.number == 0) {
            continue;
        }
        std::size_t at = slot.hash & (wanted - 1);
        while (slots_[at].number != 0) {
            at = (at + 1) & (wanted - 1);
        }
        slots_[at] = slot;
    }
}

}  // namespace mirror
