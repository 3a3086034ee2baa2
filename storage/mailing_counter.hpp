// How many events of each mailing a file has: what the API's statistics count, too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/plan/statistics_audit.hpp"
#include "core/record/stream.hpp"
#include "core/time/zone.hpp"

namespace SQLite {
class Database;
}

namespace mirror::storage {

/// Reads only. Throws SQLite::Exception.
class MailingCounter {
  public:
    /// All must outlive it.
    MailingCounter(SQLite::Database& sql, const Zone& zone, const Stream& stream)
        : sql_(sql), zone_(zone), stream_(stream), table_(stream.table) {}

    /// Of all mailings, or of one. Rows that were removed do not count, and rejects count for the
    /// mailing that they name. Of a stream whose rows are mailings, each is there, with no events.
    plan::MailingCounts count(const LocalPeriod& period, std::optional<std::int64_t> mailing);

  private:
    void add_mailings();
    void add_rows();
    void add_rejects();
    void add_erased();
    bool has_row(std::int64_t mailing, std::int64_t destination);

    SQLite::Database& sql_;
    const Zone& zone_;
    const Stream& stream_;
    std::string table_;
    LocalPeriod period_;
    std::optional<std::int64_t> mailing_;
    plan::MailingCounts counts_;
};

}  // namespace mirror::storage
