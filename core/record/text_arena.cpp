#include "core/record/text_arena.hpp"

#include <algorithm>
#include <cstring>

namespace mirror {

std::string_view TextArena::keep(std::string_view text) {
    if (text.empty()) {
        return std::string_view("", 0);
    }
    if (capacity_ - used_ < text.size()) {
        capacity_ = std::max(block_size, text.size());
        blocks_.push_back(std::make_unique_for_overwrite<char[]>(capacity_));
        used_ = 0;
    }
    char* const place = blocks_.back().get() + used_;
    std::memcpy(place, text.data(), text.size());
    used_ += text.size();
    return {place, text.size()};
}

void TextArena::clear() {
    if (blocks_.empty()) {
        return;
    }
    // The last block's size is the one that capacity_ speaks of.
    blocks_.erase(blocks_.begin(), blocks_.end() - 1);
    used_ = 0;
}

}  // namespace mirror
