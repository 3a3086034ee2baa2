// The table `mirror`: what is true of a stream, or of the file as a whole.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/record/stream.hpp"

namespace SQLite {
class Database;
}

namespace mirror::storage {

/// Keys that the storage itself writes. Others are the caller's, of a stream.
namespace fact_key {
// Of the file.
inline constexpr char account_id[] = "account_id";
inline constexpr char account_name[] = "account_name";
inline constexpr char api_url[] = "api_url";
inline constexpr char time_zone[] = "time_zone";
inline constexpr char program_version[] = "program_version";
inline constexpr char created_at[] = "created_at";  ///< UTC seconds
/// The server's clock less ours, in seconds, as far as it is known.
inline constexpr char server_clock_offset[] = "server_clock_offset";
/// How often entries of dictionaries were deleted: what is remembered of them does not hold then.
inline constexpr char entries_erased[] = "entries_erased";
/// 1: rows were erased, and their bytes may still be in the log or in free space.
inline constexpr char erased_bytes_left[] = "erased_bytes_left";
/// What is kept of addresses and user agents, as Privacy names it; since when, UTC seconds; and the
/// least of it that rows from before may have.
inline constexpr char privacy_ip[] = "privacy_ip";
inline constexpr char privacy_useragent[] = "privacy_useragent";
inline constexpr char privacy_since[] = "privacy_since";
inline constexpr char narrowest_ip[] = "narrowest_ip";
inline constexpr char narrowest_useragent[] = "narrowest_useragent";
// Of a stream.
/// Up to which ID rows have what is kept (see RewriteState), and how many that are; empty: all.
inline constexpr char rewritten_to[] = "rewritten_to";
inline constexpr char rewritten_rows[] = "rewritten_rows";
inline constexpr char rows[] = "rows";                ///< all stored rows, removed ones too
inline constexpr char removed[] = "removed";          ///< of these, those with removed_at
inline constexpr char rejects[] = "rejects";          ///< rows of the table `rejects`
inline constexpr char last_change[] = "last_change";  ///< the greatest changed_at ever given
}  // namespace fact_key

/// Reads and writes single facts. Every call throws SQLite::Exception.
class Facts {
  public:
    /// Those of the file as a whole.
    explicit Facts(SQLite::Database& sql) : sql_(sql) {}
    Facts(SQLite::Database& sql, const Stream& stream) : sql_(sql), stream_(stream.name) {}

    std::optional<std::string> get(const std::string& key) const;
    std::map<std::string, std::string> all() const;
    /// Absent, or no number: 0.
    std::int64_t number(const std::string& key) const;

    /// Writes nothing if the value is the same already. True when it wrote.
    bool set(const std::string& key, const std::string& value);
    bool set(const std::string& key, std::int64_t value) { return set(key, std::to_string(value)); }

  private:
    SQLite::Database& sql_;
    std::string stream_;  // empty: the file
};

}  // namespace mirror::storage
