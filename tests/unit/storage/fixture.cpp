#include "tests/unit/storage/fixture.hpp"

#include <fstream>
#include <iterator>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "tests/support/impression.hpp"

namespace mirror::storage::testing {
namespace {

const Zone& zone() {
    static const Zone amsterdam("Europe/Amsterdam");
    return amsterdam;
}

}  // namespace

Instant noon(std::int64_t offset) {
    return Instant(std::chrono::sys_days(std::chrono::year{2026} / 3 / 1)) +
           std::chrono::hours(12) + Seconds(offset);
}

Window noon_window(std::int64_t begin, std::int64_t end) {
    return {noon(begin), noon(end)};
}

Moment at(Instant utc) {
    return {utc, Monotonic(utc.time_since_epoch())};
}

MirrorOptions options_for(const std::filesystem::path& file) {
    MirrorOptions options{file, zone()};
    options.busy_timeout = std::chrono::milliseconds(20);
    options.api_url = "https://api.example.com/v3";
    options.program_version = "0.0.0";
    return options;
}

Row row(copernica::Page& page, std::int64_t id, std::int64_t offset, std::string_view useragent,
        std::string_view device) {
    tests::Impression made;
    made.id = id;
    made.time = zone().to_local(noon(offset));
    made.mailing = 412;
    made.destination = 112;
    made.profile = 13453;
    made.ip = page.texts.keep("2a03:e280:0:1::1");
    made.useragent = page.texts.keep(useragent);
    made.device = page.texts.keep(device);
    return tests::row_of(made);
}

copernica::Page rows(std::int64_t first, std::int64_t last) {
    copernica::Page page;
    for (std::int64_t id = first; id <= last; ++id) {
        page.rows.push_back(row(page, id, id - first));
    }
    return page;
}

Reject reject(const std::string& record, std::optional<std::string> timestamp) {
    Reject made;
    made.record = record;
    made.reason = "no usable ID";
    if (timestamp) {
        made.time = parse_local(*timestamp);
    }
    made.timestamp = std::move(timestamp);
    return made;
}

std::vector<sync::WholeWindow> whole(const Window& window, copernica::Page page) {
    sync::WholeWindow made;
    made.window = window;
    made.proven = window;
    made.read_at = window.end;
    made.records.add(page.rows, std::move(page.rejects));
    std::vector<sync::WholeWindow> windows;
    windows.push_back(std::move(made));
    return windows;
}

void make_mirror(const std::filesystem::path& path) {
    MirrorFile file(options_for(path), noon());
    file.writer(impressions).claim_account("34", "Development", {});
    file.writer(impressions).commit(whole(noon_window(0, 60), rows(1, 50)), noon(60), at(noon(60)));
}

DatabaseErrorKind refusal(const std::filesystem::path& path) {
    try {
        MirrorFile file(options_for(path), noon());
    } catch (const DatabaseError& error) {
        CHECK_MESSAGE(std::string(error.what()).find(path.filename().string()) != std::string::npos,
                      error.what());
        return error.kind();
    }
    FAIL("opened");
    return DatabaseErrorKind::io;
}

std::optional<std::string> bytes_of(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) {
        return std::nullopt;
    }
    return std::string(std::istreambuf_iterator<char>(stream), {});
}

void write_bytes(const std::filesystem::path& file, std::string_view bytes) {
    std::ofstream(file, std::ios::binary) << bytes;
}

std::string ask(const std::filesystem::path& file, const std::string& query) {
    SQLite::Database sql(file.string(), SQLite::OPEN_READONLY);
    SQLite::Statement statement(sql, query);
    if (!statement.executeStep()) {
        return "(no row)";
    }
    return statement.getColumn(0).isNull() ? "NULL" : statement.getColumn(0).getString();
}

std::string lines_of(const std::filesystem::path& file, const std::string& query) {
    SQLite::Database sql(file.string(), SQLite::OPEN_READONLY);
    SQLite::Statement statement(sql, query);
    std::string lines;
    while (statement.executeStep()) {
        for (int column = 0; column < statement.getColumnCount(); ++column) {
            lines += (column > 0 ? "|" : "") + statement.getColumn(column).getString();
        }
        lines += "\n";
    }
    return lines;
}

void meddle(const std::filesystem::path& file, const std::string& sql) {
    SQLite::Database connection(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    connection.exec(sql);
}

}  // namespace mirror::storage::testing
