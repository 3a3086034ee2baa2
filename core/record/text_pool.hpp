// Texts that come again and again, each kept once for all who need it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/record/text_arena.hpp"

namespace mirror {

/// Two texts of a pool are equal only if they stand at the same place, so that whoever has them
/// compares places. Texts stay where they are for as long as the pool lives; one thread adds to it,
/// and others may read meanwhile what they were given. It never forgets: when bytes() have become
/// too many, begin another one.
class TextPool {
  public:
    /// The text as it is kept; nothing if it is not.
    std::optional<std::string_view> find(std::string_view text) const;

    /// The same; a text that is new is copied.
    std::string_view keep(std::string_view text);

    /// Of all texts.
    std::size_t bytes() const { return bytes_; }

  private:
    // The table is searched by hashes, so that few texts are compared. Number 0: free.
    struct Slot {
        std::uint32_t hash = 0;
        std::uint32_t number = 0;  // of the text, from 1
    };

    std::size_t slot_of(std::string_view text, std::uint32_t hash) const;
    void grow();

    std::vector<Slot> slots_;  // a power of two
    std::vector<std::string_view> texts_;
    TextArena arena_;
    std::size_t bytes_ = 0;
};

}  // namespace mirror
