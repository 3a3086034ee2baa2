// The table of the streams is sound.
#include <filesystem>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "core/record/stream.hpp"
#include "tests/paths.hpp"
#include "tests/support/impression.hpp"
#include "tests/unit/documentation/documents.hpp"

using namespace mirror;

TEST_CASE("streams are found by name, and only these") {
    for (const Stream& stream : streams()) {
        CHECK(find_stream(stream.name) == &stream);
    }
    CHECK(streams().front().name == "impressions");
    for (const char* const name : {"", "Impressions", "impression", "emailings", "all"}) {
        CHECK(find_stream(name) == nullptr);
    }
}

TEST_CASE("no two streams share a name, a table or a call, no two fields a column or a place") {
    std::set<std::string_view> names;
    for (const Stream& stream : streams()) {
        CAPTURE(std::string(stream.name));
        for (const std::string_view name :
             {stream.name, stream.table, stream.path, stream.newer_path}) {
            CHECK(names.insert(name).second);
        }
        std::set<std::string_view> columns{"id", "extra", "first_seen", "changed_at", "removed_at"};
        std::set<std::string> places;
        int timestamps = 0;
        for (const Field& field : stream.fields) {
            CAPTURE(std::string(field.name));
            CHECK(columns.insert(field.column).second);
            if (field.kind == FieldKind::timestamp) {
                ++timestamps;
                continue;
            }
            const char* const kind = field.kind == FieldKind::integer      ? "integer "
                                     : field.kind == FieldKind::dictionary ? "entry "
                                                                           : "text ";
            CHECK(places.insert(kind + std::to_string(field.slot) + (field.second ? "b" : ""))
                      .second);
            CHECK((field.kind == FieldKind::dictionary) == (field.dictionary != nullptr));
            if (field.dictionary != nullptr) {
                CHECK(stream.dictionaries[field.slot] == field.dictionary);
            }
        }
        CHECK(timestamps == 1);
    }
}

TEST_CASE("an impression's values stand where the tests look for them") {
    const auto slot_of = [](std::string_view name) {
        for (const Field& field : find_stream("impressions")->fields) {
            if (field.name == name) {
                return std::size_t{field.slot};
            }
        }
        return most_integers + most_texts;
    };
    CHECK(slot_of("mailing") == tests::slot::mailing);
    CHECK(slot_of("destination") == tests::slot::destination);
    CHECK(slot_of("profile") == tests::slot::profile);
    CHECK(slot_of("subprofile") == tests::slot::subprofile);
    CHECK(slot_of("ip") == tests::slot::ip);
    CHECK(slot_of("useragent") == tests::slot::agent);
    CHECK(slot_of("device") == tests::slot::agent);
}

TEST_CASE("no code of the engine names a stream") {
    namespace fs = std::filesystem;
    std::size_t files = 0;
    for (const char* const folder : {"sync", "plan", "copernica", "http", "time", "util"}) {
        for (const fs::directory_entry& entry :
             fs::directory_iterator(fs::path(test::project_root) / "core" / folder)) {
            const std::string extension = entry.path().extension().string();
            if (extension != ".cpp" && extension != ".hpp") {
                continue;
            }
            ++files;
            const std::string code =
                test::document(fs::relative(entry.path(), fs::path(test::project_root)).string());
            for (const Stream& stream : streams()) {
                CAPTURE(entry.path().string());
                CAPTURE(std::string(stream.name));
                CHECK(code.find('"' + std::string(stream.name) + '"') == std::string::npos);
                CHECK(code.find(std::string(stream.table)) == std::string::npos);
                CHECK(code.find(std::string(stream.path)) == std::string::npos);
            }
        }
    }
    CHECK(files > 100);
}
