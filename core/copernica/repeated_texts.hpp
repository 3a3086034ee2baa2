// Texts that come again and again within a page, kept once.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <string_view>

namespace mirror::copernica {

/// A small table of the texts kept last. It may forget one, and keep it twice then; it never
/// grows. Its views belong to the arena: forget() them before the arena goes.
class RepeatedTexts {
  public:
    /// The text as it is kept; `keep_new` puts one into the arena that is not there.
    template <class KeepNew>
    std::string_view keep(std::string_view text, const KeepNew& keep_new) {
        std::string_view& place = places_[std::hash<std::string_view>{}(text) % places_.size()];
        if (place.data() == nullptr || place != text) {
            place = keep_new(text);
        }
        return place;
    }

    void forget() { places_.fill({}); }

  private:
    std::array<std::string_view, 1024> places_{};
};

}  // namespace mirror::copernica
