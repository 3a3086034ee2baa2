#include "storage/dictionary_table.hpp"

#include <utility>

namespace mirror::storage {
namespace {

// What a remembered entry costs beside its texts.
constexpr std::size_t entry_overhead = 80;

// Any two values, absent or with any bytes in them, as one text that no other entry has.
void make_key(std::string& key, const Entry& entry) {
    const auto& [first, second] = entry;
    key.clear();
    key.push_back(second ? 'd' : '-');
    key.push_back(first ? 'u' : '-');
    if (second) {
        const std::size_t size = second->size();
        key.append(reinterpret_cast<const char*>(&size), sizeof size);
        key.append(*second);
    }
    if (first) {
        key.append(*first);
    }
}

// By the expressions of the unique index: no text equals the number 0.
std::string select_sql(const Dictionary& dictionary) {
    std::string sql = "SELECT id FROM " + std::string(dictionary.table) + " WHERE ifnull(" +
                      std::string(dictionary.first) + ", 0) = ifnull(?1, 0)";
    if (!dictionary.second.empty()) {
        sql += " AND ifnull(" + std::string(dictionary.second) + ", 0) = ifnull(?2, 0)";
    }
    return sql;
}

std::string insert_sql(const Dictionary& dictionary) {
    const bool pairs = !dictionary.second.empty();
    return "INSERT INTO " + std::string(dictionary.table) + " (" + std::string(dictionary.first) +
           (pairs ? ", " + std::string(dictionary.second) : "") + ") VALUES (?1" +
           (pairs ? ", ?2" : "") + ") RETURNING id";
}

}  // namespace

DictionaryTable::DictionaryTable(sqlite3* connection, const Dictionary& dictionary,
                                 std::size_t memory, Made made)
    : pairs_(!dictionary.second.empty()),
      select_(connection, select_sql(dictionary)),
      insert_(connection, insert_sql(dictionary)),
      made_(std::move(made)),
      generation_bytes_(memory / 2) {}

std::optional<std::int64_t> DictionaryTable::number(const Entry& entry) {
    if (!entry.first && !entry.second) {
        return std::nullopt;
    }
    make_key(key_, entry);
    if (const std::int64_t* known = find(key_)) {
        return *known;
    }
    bind(select_, entry);
    std::optional<std::int64_t> number = select_.run();
    if (!number) {
        bind(insert_, entry);
        number = insert_.run();
        if (made_) {
            made_(number.value(), entry);
        }
    }
    remember(key_, number.value());
    return number;
}

void DictionaryTable::bind(RowStatement& statement, const Entry& entry) const {
    statement.bind(1, entry.first);
    if (pairs_) {
        statement.bind(2, entry.second);
    }
}

void DictionaryTable::forget() {
    young_.clear();
    old_.clear();
    young_bytes_ = 0;
}

const std::int64_t* DictionaryTable::find(const std::string& key) {
    if (const auto found = young_.find(key); found != young_.end()) {
        return &found->second;
    }
    const auto found = old_.find(key);
    if (found == old_.end()) {
        return nullptr;
    }
    remember(key, found->second);
    const auto moved = young_.find(key);
    return moved == young_.end() ? nullptr : &moved->second;
}

void DictionaryTable::remember(const std::string& key, std::int64_t number) {
    const std::size_t bytes = key.size() + entry_overhead;
    if (bytes > generation_bytes_) {
        return;
    }
    if (young_bytes_ + bytes > generation_bytes_) {
        old_ = std::exchange(young_, Known{});
        young_bytes_ = 0;
    }
    young_.emplace(key, number);
    young_bytes_ += bytes;
}

}  // namespace mirror::storage
