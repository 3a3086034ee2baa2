// What was erased from a stream and must not come back when the API returns it again.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/record/row.hpp"
#include "core/record/stream.hpp"
#include "core/sync/store.hpp"
#include "core/time/zone.hpp"
#include "storage/erasure_rule.hpp"
#include "storage/sqlite/statement.hpp"

namespace SQLite {
class Database;
}

namespace mirror::storage {

/// What the file remembers of an erased record.
struct ErasedKey {
    std::int64_t id = 0;  ///< negative: made from the text of a record that has no usable ID
    LocalTime time{};     ///< its own, or where its window begins
    friend auto operator<=>(const ErasedKey&, const ErasedKey&) = default;
};

/// Of a record that is not a row: its ID and time as far as they can be used. Without an `id`, it
/// is what the record's own plainly means: the same record may be a row in another reply.
ErasedKey key_of_reject(const Stream& stream, std::optional<std::int64_t> id,
                        std::optional<LocalTime> time, const std::string& record,
                        LocalTime window_begin);

/// The table `erased`, the bound of `erase --before`, and erasures that are not finished. Nothing
/// of it is kept across transactions: other processes erase, too. Throws SQLite::Exception.
class ErasedRecords {
  public:
    ErasedRecords(SQLite::Database& sql, const Zone& zone, const Stream& stream)
        : sql_(sql), zone_(zone), stream_(stream) {}

    /// First in each transaction.
    void load();

    /// Whether anything was ever erased, or is about to be.
    bool any() const { return bound_ || remembers_ || !rules_.empty(); }

    /// Whether the row was erased, and must not be stored again.
    bool hides(const Row& row);

    /// Takes erased records out of a window, and remembers which of them the API still shows: a
    /// count of the API has these. Inside a write transaction.
    void take_out(sync::WholeWindow& whole, Instant now);

    /// Remembered records of the proven period that the API showed up to now, and not in this read.
    std::vector<ErasedKey> missing_from(const sync::WholeWindow& whole) const;

    /// To be remembered; `gone_at`: the API does not show it any more.
    void remember(const ErasedKey& key, std::int64_t copies, std::optional<std::int64_t> gone_at);

  private:
    using Seen = std::map<ErasedKey, std::int64_t>;  // with how often it came

    bool hides(const Reject& reject, const Window& window);
    bool is_remembered(const ErasedKey& key);
    bool is_another_record(const ErasedKey& key) const;
    std::vector<ErasedKey> shown_within(const Window& proven) const;

    SQLite::Database& sql_;
    const Zone& zone_;
    const Stream& stream_;
    std::unique_ptr<RowStatement> look_up_;  // made at first use
    std::optional<LocalTime> bound_;
    bool remembers_ = false;
    std::vector<ErasureRule> rules_;
};

/// The bound below which nothing is stored; nothing if there is none.
std::optional<LocalTime> erased_before(SQLite::Database& sql, const Stream& stream);

/// What the stream is to be erased by, and is not yet.
std::vector<ErasureRule> unfinished_rules(SQLite::Database& sql, const Stream& stream);

}  // namespace mirror::storage
