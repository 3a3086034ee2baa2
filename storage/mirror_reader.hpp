// What is asked of one stream of the mirror in its file: each question of sync::Store, answered at
// once on the calling thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/sync/store.hpp"
#include "core/time/zone.hpp"
#include "storage/comparison.hpp"
#include "storage/coverage_ledger.hpp"
#include "storage/metadata.hpp"
#include "storage/sqlite/database.hpp"

namespace mirror::storage {

/// Changes nothing. Not safe for two threads at once; which thread does not matter. Every call
/// throws DatabaseError. All arguments must outlive it.
class MirrorReader {
  public:
    MirrorReader(Database& database, const Zone& zone, const Stream& stream);

    WindowSet coverage(std::int64_t age);
    std::vector<sync::RowDifference> compare(const std::vector<sync::WholeWindow>& windows);
    std::optional<LocalTime> row_free_second(LocalTime begin, LocalTime end,
                                             sync::RowFreeNear near);
    WindowSet doubts(Instant latest);
    std::uint64_t count_removed(LocalTime begin, LocalTime end);
    std::optional<LocalTime> middle_row(LocalTime begin, LocalTime end);
    std::optional<LocalTime> nth_record(LocalTime begin, LocalTime end, std::uint64_t n);
    WindowSet covered_by_other_rules();
    std::uint64_t count(LocalTime begin, LocalTime end);

    /// See sync::Store::unplaced_rejects().
    sync::UnplacedRejects unplaced_rejects(LocalTime begin, LocalTime end);
    plan::MailingCounts mailing_counts(LocalTime begin, LocalTime end,
                                       std::optional<std::int64_t> mailing);
    std::optional<sync::NewestRows> newest_rows(LocalTime before);
    std::vector<plan::SampledRow> newest_sample(LocalTime before, std::size_t most);
    /// Whether anything of the whole file is to be rewritten.
    bool is_rewriting();
    std::optional<std::string> fact(const std::string& key);

  private:
    LocalTime time_of(const std::string& text) const;

    Database& database_;
    const Zone& zone_;
    const Stream& stream_;
    std::string table_;
    Facts facts_;
    Comparison comparison_;
};

}  // namespace mirror::storage
