// Where each record of a window stands, by ID: one block of memory, no node for each record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace mirror::sync {

/// A hash table from usable IDs (above 0) to places in pages. Nothing is ever taken out of it
/// alone.
class PlaceTable {
  public:
    struct Place {
        std::uint32_t page = 0;
        std::uint32_t index = 0;  ///< among the page's rows, or its rejects; below 2^31
        bool reject = false;
        friend bool operator==(const Place&, const Place&) = default;
    };

    /// From now on the ID stands here. Returns where it stood; nothing where it is new.
    std::optional<Place> put(std::int64_t id, const Place& place) {
        if ((size_ + 1) * 4 > slots_.size() * 3) {
            grow();
        }
        Slot& slot = slot_of(id);
        std::optional<Place> before;
        if (slot.id == 0) {
            ++size_;
        } else {
            before = Place{slot.page, slot.index >> 1U, (slot.index & 1U) != 0};
        }
        slot = {id, place.page, place.index << 1U | (place.reject ? 1U : 0U)};
        return before;
    }

    std::size_t size() const { return size_; }

    void clear() {
        slots_.clear();
        size_ = 0;
    }

  private:
    struct Slot {
        std::int64_t id = 0;  // 0: free
        std::uint32_t page = 0;
        std::uint32_t index = 0;  // doubled, and one more for a reject
    };

    static constexpr std::size_t first_slots = 1024;

    // IDs that follow each other are spread over the table (Knuth's multiplicative hashing).
    Slot& slot_of(std::int64_t id) {
        constexpr std::uint64_t golden = 0x9E3779B97F4A7C15;
        constexpr unsigned used_bits = 32;
        std::size_t at = (static_cast<std::uint64_t>(id) * golden >> used_bits) % slots_.size();
        while (slots_[at].id != 0 && slots_[at].id != id) {
            at = at + 1 == slots_.size() ? 0 : at + 1;
        }
        return slots_[at];
    }

    void grow() {
        const std::size_t wanted = slots_.empty() ? first_slots : slots_.size() * 2;
        const std::vector<Slot> before = std::exchange(slots_, std::vector<Slot>(wanted));
        for (const Slot& slot : before) {
            if (slot.id != 0) {
                slot_of(slot.id) = slot;
            }
        }
    }

    std::vector<Slot> slots_;
    std::size_t size_ = 0;
};

}  // namespace mirror::sync
