// The table `coverage`: which windows are whole and stored, merged and disjoint for each
// stream and age.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/record/stream.hpp"
#include "core/time/window.hpp"
#include "core/time/zone.hpp"

namespace SQLite {
class Database;
class Statement;
}  // namespace SQLite

namespace mirror::storage {

/// Reads and writes the ledger of one stream. Nothing of it is kept in memory: other processes
/// write, too. add() and subtract() belong inside the write transaction of the rows. Every call
/// throws SQLite::Exception.
class CoverageLedger {
  public:
    CoverageLedger(SQLite::Database& sql, const Zone& zone, const Stream& stream)
        : sql_(sql), zone_(zone), stream_(stream.name) {}

    /// `age` in seconds. Reading needs no zone.
    static WindowSet load(SQLite::Database& sql, const Stream& stream, std::int64_t age);

    /// Windows of age 0 whose end has another local time by today's rules of the zone than the one
    /// that was written.
    WindowSet of_other_rules() const;
    /// What is covered of a window.
    WindowSet within(std::int64_t age, const Window& window) const;

    /// Merges with what overlaps or touches it; writes nothing if it is covered already.
    void add(std::int64_t age, const Window& window);

    /// From every age.
    void subtract(const WindowSet& windows);

    /// Rows of `window` are written as they were at `read_at`: from the ages above 0 goes what was
    /// proven by a later read, which may have shown them otherwise.
    void forget_later_reads(const Window& window, Instant read_at);

  private:
    struct Row;

    static std::vector<Row> rows_of(SQLite::Statement& query);
    std::vector<Row> touching(std::int64_t age, const Window& window) const;
    std::vector<std::int64_t> ages() const;
    void cut(const Row& row, const Window& window);
    void insert(std::int64_t age, const Window& window);

    SQLite::Database& sql_;
    const Zone& zone_;
    std::string stream_;
};

}  // namespace mirror::storage
