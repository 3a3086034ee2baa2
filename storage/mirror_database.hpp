// A mirror's file as a database: our schema in it, its zone, its indexes.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <SQLiteCpp/Database.h>

#include "core/record/open_rules.hpp"
#include "core/record/privacy.hpp"
#include "core/time/instant.hpp"
#include "core/time/zone.hpp"
#include "storage/index_catalogue.hpp"
#include "storage/sqlite/database.hpp"

namespace mirror::storage {

/// What a mirror needs to know to open its file.
struct MirrorOptions {
    std::filesystem::path path;
    Zone zone;  ///< the account's; a file keeps the one it was made with
    /// Optional indexes, by column (see index_catalogue.hpp).
    std::set<std::string> indexes{default_indexes().begin(), default_indexes().end()};
    /// Those of streams that are to have others, by the stream's name.
    std::map<std::string, std::set<std::string>> stream_indexes{};
    /// Which opens are not plainly a person's.
    std::vector<OpenRule> open_rules{};
    /// How much is kept of addresses and user agents.
    Privacy privacy{};
    /// Whether a file that keeps more or less from now on does as `privacy` says; else it is
    /// refused.
    bool may_change_privacy = true;
    std::string api_url{};          ///< kept as a fact; never with a token in it
    std::string program_version{};  ///< kept as a fact
    /// How long to wait for another writer before giving up.
    std::chrono::milliseconds busy_timeout = default_busy_timeout;
    /// Called on the working thread again and again while a statement makes progress; must be
    /// quick.
    std::function<void()> progressing{};
};

/// Opens the file for writing; creates it if it does not exist or is empty, and brings an older
/// schema up to date. Throws DatabaseError, OtherZone, std::invalid_argument.
Database open_mirror(const MirrorOptions& options, Instant now);

/// Judges a file by its header, which leaves no trace. Throws DatabaseError (foreign, newer) unless
/// it is a mirror's, or empty.
void refuse_unless_mirror(const std::filesystem::path& file);

/// For reading only, see open_read_only(). Throws DatabaseError.
SQLite::Database open_mirror_read_only(const std::filesystem::path& file,
                                       std::chrono::milliseconds busy_timeout);

}  // namespace mirror::storage
