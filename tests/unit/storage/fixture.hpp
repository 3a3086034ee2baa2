// What the storage's tests share: a directory of their own, pages of rows, a raw look at the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/copernica/page.hpp"
#include "core/sync/store.hpp"
#include "storage/errors.hpp"
#include "storage/mirror_file.hpp"
#include "tests/support/temporary_directory.hpp"

namespace mirror::storage::testing {

using test::TemporaryDirectory;

/// The stream that tests use if it does not matter which one.
inline const Stream& impressions = streams().front();

/// 2026-03-01 12:00:00 UTC, 13:00:00 in Amsterdam, and `offset` seconds more.
Instant noon(std::int64_t offset = 0);
Window noon_window(std::int64_t begin, std::int64_t end);
Moment at(Instant utc);

/// Amsterdam, mailing index, almost no waiting.
MirrorOptions options_for(const std::filesystem::path& file);

/// A row logged at noon(offset), with ordinary values.
Row row(copernica::Page& page, std::int64_t id, std::int64_t offset = 0,
        std::string_view useragent = "Mozilla/5.0", std::string_view device = "desktop");

/// Rows `first` to `last` at noon and one second more for each, one page.
copernica::Page rows(std::int64_t first, std::int64_t last);

/// A reject; `timestamp` readable, or not, or absent.
Reject reject(const std::string& record, std::optional<std::string> timestamp = std::nullopt);

/// One window, read whole and proven as a whole.
std::vector<sync::WholeWindow> whole(const Window& window, copernica::Page page);

/// A file with 50 rows, of account 34.
void make_mirror(const std::filesystem::path& path);

/// The kind of DatabaseError that opening gives; its text must name the file.
DatabaseErrorKind refusal(const std::filesystem::path& path);

/// Everything of a file, byte for byte; nothing if there is none.
std::optional<std::string> bytes_of(const std::filesystem::path& file);
void write_bytes(const std::filesystem::path& file, std::string_view bytes);

/// The first column of the first row of a query, through a read-only connection, as text; "NULL".
std::string ask(const std::filesystem::path& file, const std::string& query);

/// Every line of a query, columns joined by '|', NULL as an empty text.
std::string lines_of(const std::filesystem::path& file, const std::string& query);

/// Carries out SQL behind the program's back.
void meddle(const std::filesystem::path& file, const std::string& sql);

}  // namespace mirror::storage::testing
