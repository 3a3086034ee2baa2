// The table `mirror`: what is true of the file as a whole.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace SQLite {
class Database;
}

namespace mirror::storage {

/// Keys that the storage itself writes. Others are the caller's.
namespace fact_key {
inline constexpr char account_id[] = "account_id";
inline constexpr char account_name[] = "account_name";
inline constexpr char api_url[] = "api_url";
inline constexpr char time_zone[] = "time_zone";
inline constexpr char program_version[] = "program_version";
inline constexpr char created_at[] = "created_at";    ///< UTC seconds
inline constexpr char rows[] = "rows";                ///< all stored rows, removed ones too
inline constexpr char removed[] = "removed";          ///< of these, those with removed_at
inline constexpr char rejects[] = "rejects";          ///< rows of the table `rejects`
inline constexpr char last_change[] = "last_change";  ///< the greatest changed_at ever given
/// The server's clock less ours, in seconds, as far as it is known.
inline constexpr char server_clock_offset[] = "server_clock_offset";
}  // namespace fact_key

/// Reads and writes single facts. Every call throws SQLite::Exception.
class Facts {
  public:
    explicit Facts(SQLite::Database& sql) : sql_(sql) {}

    std::optional<std::string> get(const std::string& key) const;
    std::map<std::string, std::string> all() const;
    /// Absent, or no number: 0.
    std::int64_t number(const std::string& key) const;

    /// Writes nothing if the value is the same already. True when it wrote.
    bool set(const std::string& key, const std::string& value);
    bool set(const std::string& key, std::int64_t value) { return set(key, std::to_string(value)); }

  private:
    SQLite::Database& sql_;
};

}  // namespace mirror::storage
