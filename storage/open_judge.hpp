// Which kind of open each user agent stands for: the tables `open_rules` and `open_kinds`.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/record/open_rules.hpp"
#include "core/record/row.hpp"
#include "storage/sqlite/statement.hpp"

namespace SQLite {
class Database;
}

namespace mirror::storage {

/// Judges user agents by the rules in the file, so that all processes on it agree. Every call
/// belongs inside a write transaction and throws SQLite::Exception.
class OpenJudge {
  public:
    explicit OpenJudge(sqlite3* connection);

    /// Writes the verdicts on a user agent that has none.
    void judge(std::int64_t user_agent, const Entry& agent);

    /// Other processes may change the rules between two transactions: they are read again when they
    /// are needed.
    void forget_rules() { known_ = false; }

  private:
    void load_rules();

    RowStatement select_rules_;
    RowStatement insert_;
    std::vector<OpenRule> rules_;
    bool known_ = false;
};

/// The dictionary whose entries are judged.
inline constexpr std::string_view judged_dictionary = "user_agents";

/// Deletes the verdicts on a user agent that is deleted: its number may become another one's.
void forget_verdicts(SQLite::Database& sql, std::int64_t user_agent);

/// Makes the file's rules `rules`; if they were others, judges all user agents again. Those that
/// nobody has judged are judged in any case.
void match_open_rules(SQLite::Database& sql, const std::vector<OpenRule>& rules);

}  // namespace mirror::storage
