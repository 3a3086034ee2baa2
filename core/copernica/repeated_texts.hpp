// Texts that come again and again within a page, kept once.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <string_view>

#include "core/record/text_arena.hpp"

namespace mirror::copernica {

/// A small table of the texts kept last. It may forget one, and keep it twice then; it never
/// grows. Its views belong to the arena: forget() them before the arena goes.
class RepeatedTexts {
  public:
    std::string_view keep(std::string_view text, TextArena& arena) {
        std::string_view& place = places_[std::hash<std::string_view>{}(text) % places_.size()];
        if (place.data() == nullptr || place != text) {
            place = arena.keep(text);
        }
        return place;
    }

    void forget() { places_.fill({}); }

  private:
    std::array<std::string_view, 1024> places_{};
};

}  // namespace mirror::copernica
