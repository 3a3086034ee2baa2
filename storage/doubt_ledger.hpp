// The table `doubts`: periods in which so many rows were missing at once that one read of them does
// not count.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/record/stream.hpp"
#include "core/time/window.hpp"

namespace SQLite {
class Database;
}

namespace mirror::storage {

/// Periods that were noticed at one moment.
struct Doubt {
    Instant noticed_at{};  ///< this machine's clock, UTC
    Window window;
    std::uint64_t rows = 0;  ///< that were missing there
};

/// Disjoint periods of one stream. Writing belongs inside a write transaction. Every call throws
/// SQLite::Exception.
class DoubtLedger {
  public:
    DoubtLedger(SQLite::Database& sql, const Stream& stream) : sql_(sql), stream_(stream.name) {}

    std::vector<Doubt> load() const;

    /// Periods that were noticed at `latest` or before.
    WindowSet noticed_until(Instant latest) const;

    /// `window` is in doubt, unless it was already: then it keeps its moment.
    void add(const Window& window, Instant noticed_at, std::uint64_t rows);

    /// Takes the window out of doubt: it was read again and is decided.
    void settle(const Window& window);

    /// A clock that was ahead has noticed periods after `now`: they count as noticed at `now`.
    void not_later_than(Instant now);

  private:
    void insert(const Doubt& doubt);

    SQLite::Database& sql_;
    std::string stream_;
};

}  // namespace mirror::storage
