// Where each record of a window stands, by ID: blocks of memory, no node for each record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/time/instant.hpp"

namespace mirror::plan {

/// A hash table from usable IDs (above 0) and times to places among a window's rows or rejects: an
/// ID that comes again with another time is another record. Nothing is ever taken out of it alone.
class IdIndex {
  public:
    struct Place {
        std::uint32_t index = 0;  ///< among the rows, or the rejects; below 2^31
        bool reject = false;
        friend bool operator==(const Place&, const Place&) = default;
    };

    /// What was known of a record that comes.
    struct Known {
        std::optional<Place> before;  ///< where it stood; nothing if it is new
        bool shares_id = false;       ///< a record with another time has its ID
    };

    /// From now on the record stands here.
    Known put(std::int64_t id, std::optional<LocalTime> time, const Place& place) {
        if ((size_ + 1) * 4 > ids_.size() * 3) {
            grow();
        }
        const std::uint32_t key = key_of(time);
        Known known;
        const std::size_t slot = slot_of(id, key, known.shares_id);
        if (ids_[slot] == free) {
            ++size_;
        } else {
            known.before = Place{places_[slot] >> 1U, (places_[slot] & 1U) != 0};
        }
        ids_[slot] = id;
        times_[slot] = key;
        places_[slot] = place.index << 1U | (place.reject ? 1U : 0U);
        return known;
    }

    std::size_t size() const { return size_; }

    void clear() { *this = IdIndex(); }

  private:
    static constexpr std::int64_t free = 0;
    static constexpr std::size_t first_slots = 1024;

    // Unique within 136 years; a record without a time has one of its own.
    static std::uint32_t key_of(std::optional<LocalTime> time) {
        return time ? static_cast<std::uint32_t>(time->time_since_epoch().count()) : 0;
    }

    // IDs that follow each other are spread over the table (Knuth's multiplicative hashing).
    // `shares_id`: another record of the same ID was passed by.
    std::size_t slot_of(std::int64_t id, std::uint32_t key, bool& shares_id) const {
        constexpr std::uint64_t golden = 0x9E3779B97F4A7C15;
        constexpr unsigned used_bits = 32;
        std::size_t at = (static_cast<std::uint64_t>(id) * golden >> used_bits) % ids_.size();
        while (ids_[at] != free && (ids_[at] != id || times_[at] != key)) {
            shares_id |= ids_[at] == id;
            at = at + 1 == ids_.size() ? 0 : at + 1;
        }
        return at;
    }

    void grow() {
        const std::size_t wanted = ids_.empty() ? first_slots : ids_.size() * 2;
        const std::vector<std::int64_t> ids = std::exchange(ids_, std::vector(wanted, free));
        const auto places = std::exchange(places_, std::vector<std::uint32_t>(wanted));
        const auto times = std::exchange(times_, std::vector<std::uint32_t>(wanted));
        bool ignored = false;
        for (std::size_t slot = 0; slot < ids.size(); ++slot) {
            if (ids[slot] != free) {
                const std::size_t moved = slot_of(ids[slot], times[slot], ignored);
                ids_[moved] = ids[slot];
                times_[moved] = times[slot];
                places_[moved] = places[slot];
            }
        }
    }

    // Arrays, since one of structures would hold more bytes for each ID.
    std::vector<std::int64_t> ids_;
    std::vector<std::uint32_t> times_;
    std::vector<std::uint32_t> places_;  // doubled, and one more for a reject
    std::size_t size_ = 0;
};

}  // namespace mirror::plan
