// Which records of a file match what is to be erased by.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/record/stream.hpp"
#include "core/time/window.hpp"
#include "core/time/zone.hpp"
#include "storage/erasure_rule.hpp"

namespace SQLite {
class Database;
}

namespace mirror::storage {

struct ErasureRequest {
    std::vector<const Stream*> streams;
    std::vector<ErasureRule> rules;  ///< alternatives
};

/// What an erasure deleted of a stream, or would delete.
struct ErasedOfStream {
    const Stream* stream = nullptr;
    std::uint64_t rows = 0;
    std::uint64_t rejects = 0;
};

/// The functions of SQL that condition() uses, for this connection.
void make_matching_functions(SQLite::Database& sql);

/// Which rows match any of the rules, in SQL.
std::string condition(const std::vector<ErasureRule>& rules, const Stream& stream);

/// The greatest bound among the rules; nothing if none goes by age.
std::optional<LocalTime> bound_of(const std::vector<ErasureRule>& rules);

/// A reject as far as it is judged by.
struct HeldReject {
    std::int64_t row = 0;
    std::optional<LocalTime> time;
    Window window;
    std::string record;
    std::int64_t copies = 1;
    std::optional<std::int64_t> id;
};

/// Whether the reject is before the bound: all of its window, if it has no time.
bool older(const HeldReject& reject, std::optional<LocalTime> bound, const Zone& zone);

/// Throws SQLite::Exception.
std::vector<HeldReject> matching_rejects(SQLite::Database& sql, const Zone& zone,
                                         const Stream& stream,
                                         const std::vector<ErasureRule>& rules);

/// What a request would delete of a file now. Reads only, and leaves no trace. Throws
/// DatabaseError.
std::vector<ErasedOfStream> count_erasure(const std::filesystem::path& file, const Zone& zone,
                                          const ErasureRequest& request);

}  // namespace mirror::storage
