#include "storage/unused_entries.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>

#include "storage/metadata.hpp"
#include "storage/open_judge.hpp"
#include "storage/sqlite/transaction.hpp"
#include "storage/turns.hpp"

namespace mirror::storage {
namespace {

// Entries that one transaction makes candidates.
constexpr std::size_t offered_at_once = 5'000;

// Each once, though streams share some.
std::vector<const Dictionary*> all_dictionaries() {
    std::vector<const Dictionary*> all;
    for (const Stream& stream : streams()) {
        for (const Dictionary* const dictionary : stream.dictionaries) {
            if (std::find(all.begin(), all.end(), dictionary) == all.end()) {
                all.push_back(dictionary);
            }
        }
    }
    return all;
}

}  // namespace

void UnusedEntries::offer_all() {
    SQLite::Database& sql = database_.sql();
    for (const Dictionary* const dictionary : all_dictionaries()) {
        std::int64_t reached = 0;
        for (;;) {
            SQLite::Statement end(sql, fmt::format("SELECT max(id) FROM (SELECT id FROM {} "
                                                   "WHERE id > ? ORDER BY id LIMIT {})",
                                                   dictionary->table, offered_at_once));
            end.bind(1, reached);
            end.executeStep();
            if (end.getColumn(0).isNull()) {
                break;
            }
            const std::int64_t last = end.getColumn(0).getInt64();
            end.reset();
            WriteTransaction transaction(database_);
            SQLite::Statement offer(sql, fmt::format("INSERT OR IGNORE INTO erased_entries "
                                                     "SELECT '{0}', id FROM {0} "
                                                     "WHERE id > ? AND id <= ?",
                                                     dictionary->table));
            offer.bind(1, reached);
            offer.bind(2, last);
            offer.exec();
            transaction.commit();
            reached = last;
            std::this_thread::sleep_for(pause_for_others);
        }
    }
}

void UnusedEntries::erase() {
    for (const Dictionary* const dictionary : all_dictionaries()) {
        erase_of(*dictionary);
    }
}

// Writers take what they use out of the candidates. So what no row used when it was looked at, and
// what still is a candidate, is used by none.
void UnusedEntries::erase_of(const Dictionary& dictionary) {
    SQLite::Database& sql = database_.sql();
    std::unordered_set<std::int64_t> unused;
    {
        SQLite::Statement query(sql, "SELECT id FROM erased_entries WHERE dictionary = ?");
        query.bind(1, std::string(dictionary.table));
        while (query.executeStep()) {
            unused.insert(query.getColumn(0).getInt64());
        }
    }
    const std::vector<std::int64_t> candidates(unused.begin(), unused.end());
    for (const Stream& stream : streams()) {
        const bool uses = std::find(stream.dictionaries.begin(), stream.dictionaries.end(),
                                    &dictionary) != stream.dictionaries.end();
        std::int64_t reached = 0;
        for (bool more = uses; more && !unused.empty();) {
            SQLite::Statement rows(sql,
                                   fmt::format("SELECT id, {} FROM {} WHERE id > ? ORDER BY id "
                                               "LIMIT {}",
                                               dictionary.number, stream.table, rows_a_look));
            rows.bind(1, reached);
            more = false;
            while (rows.executeStep()) {
                more = true;
                reached = rows.getColumn(0).getInt64();
                unused.erase(rows.getColumn(1).getInt64());
            }
        }
    }
    for (std::size_t i = 0; i < candidates.size(); i += deleted_at_once) {
        WriteTransaction transaction(database_);
        SQLite::Statement settled(sql,
                                  "DELETE FROM erased_entries WHERE dictionary = ? AND id = ?");
        SQLite::Statement remove(sql, fmt::format("DELETE FROM {} WHERE id = ?", dictionary.table));
        bool any = false;
        const std::size_t end = std::min(i + deleted_at_once, candidates.size());
        for (std::size_t j = i; j < end; ++j) {
            settled.bind(1, std::string(dictionary.table));
            settled.bind(2, candidates[j]);
            if (settled.exec() > 0 && unused.contains(candidates[j])) {
                remove.bind(1, candidates[j]);
                remove.exec();
                remove.reset();
                if (dictionary.table == judged_dictionary) {
                    forget_verdicts(sql, candidates[j]);
                }
                any = true;
            }
            settled.reset();
        }
        if (any) {
            Facts facts(sql);
            facts.set(fact_key::entries_erased, facts.number(fact_key::entries_erased) + 1);
        }
        transaction.commit();
    }
}

}  // namespace mirror::storage
