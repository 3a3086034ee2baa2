// What the file says of how much it keeps of addresses and user agents.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "core/record/privacy.hpp"
#include "core/record/stream.hpp"
#include "core/time/instant.hpp"

namespace SQLite {
class Database;
}

namespace mirror::storage {

struct KeptData {
    Privacy privacy;               ///< of what is stored from now on
    Privacy narrowest;             ///< of what was stored before
    std::optional<Instant> since;  ///< from when on; nothing: always

    /// Whether rows from before may have less than others.
    bool some_have_less() const { return narrowest != privacy; }
};

KeptData kept_data(SQLite::Database& sql);

/// Makes the file keep what `wanted` says from now on; if that is less than it kept up to now, all
/// rows are to be rewritten. Throws OtherPrivacy instead of a change unless `may_change`. Inside a
/// write transaction, as all that follows.
void match_privacy(SQLite::Database& sql, const std::filesystem::path& file, const Privacy& wanted,
                   bool may_change, Instant now);

/// Throws OtherPrivacy if the file does not keep what `expected` says: another process has changed
/// it.
void refuse_other_privacy(SQLite::Database& sql, const std::filesystem::path& file,
                          const Privacy& expected);

/// How far a stream's rows are rewritten.
struct RewriteState {
    /// Rows up to this ID have what is kept; `whole_table`: all have, and so have the rejects.
    std::int64_t reached = 0;
    std::uint64_t rows = 0;  ///< so many

    static constexpr std::int64_t whole_table = INT64_MAX;
};

/// Nothing if they are not to be rewritten, or are as a whole, with all that belongs to them.
std::optional<RewriteState> rewrite_state(SQLite::Database& sql, const Stream& stream);
void set_rewrite_state(SQLite::Database& sql, const Stream& stream,
                       const std::optional<RewriteState>& state);

/// Whether any stream is to be rewritten.
bool is_rewriting(SQLite::Database& sql);

}  // namespace mirror::storage
