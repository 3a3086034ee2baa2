// The keys that a stream's records have.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "core/record/stream.hpp"

namespace mirror::copernica {

/// Finds a record's keys among those of its stream. Records nearly always have their keys in the
/// order of the record before, so it remembers which key followed which.
class RecordKeys {
  public:
    struct Key {
        std::string_view name;
        const Field* field = nullptr;  ///< null for the ID, and if the fields are nested in it
        std::vector<const Field*> nested;
    };

    /// Places of the two keys that every row needs.
    static constexpr std::size_t id = 0;
    static constexpr std::size_t timestamp = 1;

    RecordKeys() = default;
    explicit RecordKeys(const Stream& stream);

    const Stream* stream() const { return stream_; }
    std::size_t size() const { return keys_.size(); }
    const Key& operator[](std::size_t place) const { return keys_[place]; }

    /// Before a record's first key.
    void begin() { last_ = keys_.size(); }

    /// The place of the key; size() if it is none of the stream's.
    std::size_t find(std::string_view name);

  private:
    Key& key_of(std::string_view name);

    const Stream* stream_ = nullptr;
    std::vector<Key> keys_;
    std::vector<std::size_t> after_;  // which key came after which one last
    std::size_t last_ = 0;
};

}  // namespace mirror::copernica
