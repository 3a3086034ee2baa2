// User agents by number: each pair of user agent and device is stored once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "storage/sqlite/statement.hpp"

namespace mirror::storage {

/// Finds or makes the number of a pair. Remembers the pairs used last, in bounded memory.
class UserAgents {
  public:
    /// `memory` bounds the remembered texts, in bytes.
    explicit UserAgents(sqlite3* connection, std::size_t memory = std::size_t{1} << 20);

    /// Nothing for the pair of two absent values. Inside a write transaction; throws
    /// SQLite::Exception.
    std::optional<std::int64_t> number(const std::optional<std::string_view>& useragent,
                                       const std::optional<std::string_view>& device);

    /// To be called after a rollback: numbers given in it do not exist.
    void forget();

  private:
    using Known = std::unordered_map<std::string, std::int64_t>;

    const std::int64_t* find(const std::string& pair);
    void remember(const std::string& pair, std::int64_t number);

    RowStatement select_;
    RowStatement insert_;
    // Two generations: what was not asked for while the younger one filled up is dropped.
    Known young_;
    Known old_;
    std::size_t young_bytes_ = 0;
    std::size_t generation_bytes_;
    std::string pair_;  // the key at hand, its memory reused
};

}  // namespace mirror::storage
