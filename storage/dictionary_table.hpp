// Texts that repeat, by number: each entry of a dictionary is stored once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

#include "core/record/stream.hpp"
#include "storage/sqlite/statement.hpp"

namespace mirror::storage {

/// Finds or makes the number of an entry. Remembers the entries used last, in bounded memory.
class DictionaryTable {
  public:
    static constexpr std::size_t default_memory = std::size_t{2} << 20;

    /// Called when an entry was made, in the same transaction.
    using Made = std::function<void(std::int64_t number, const Entry& entry)>;

    /// `memory` bounds the remembered texts, in bytes: some five thousand user agents are in each
    /// half of it. Entries beyond that are looked up in the file, which costs more than to write a
    /// row.
    DictionaryTable(sqlite3* connection, const Dictionary& dictionary,
                    std::size_t memory = default_memory, Made made = {});

    /// Nothing for an entry without any text. Inside a write transaction; throws
    /// SQLite::Exception.
    std::optional<std::int64_t> number(const Entry& entry);

    /// To be called after a rollback: numbers given in it do not exist.
    void forget();

  private:
    using Known = std::unordered_map<std::string, std::int64_t>;

    void bind(RowStatement& statement, const Entry& entry) const;
    const std::int64_t* find(const std::string& key);
    void remember(const std::string& key, std::int64_t number);

    bool pairs_;  // its entries have two texts
    RowStatement select_;
    RowStatement insert_;
    Made made_;
    // Two generations: what was not asked for while the younger one filled up is dropped.
    Known young_;
    Known old_;
    std::size_t young_bytes_ = 0;
    std::size_t generation_bytes_;
    std::string key_;  // the one at hand, its memory reused
};

}  // namespace mirror::storage
