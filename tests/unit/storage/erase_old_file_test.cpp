// `erase` on files that older versions of the program have made.
#include <chrono>
#include <filesystem>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "storage/eraser.hpp"
#include "tests/support/old_mirror.hpp"
#include "tests/unit/storage/fixture.hpp"

using namespace mirror;
using namespace mirror::storage;
using namespace mirror::storage::testing;

namespace {

struct OldFile {
    explicit OldFile(int version) { test::make_old_mirror(path, version); }

    TemporaryDirectory directory;
    std::filesystem::path path = directory / "m.db";
};

// The row 7 of the old file.
ErasureRequest by_destination() {
    ErasureRule rule;
    rule.kind = ErasureRule::Kind::destination;
    rule.id = 107;
    ErasureRequest request;
    request.streams = {&impressions};
    request.rules = {rule};
    return request;
}

}  // namespace

TEST_CASE("erase: in a file that was brought up to date, for good") {
    for (const int version : {1, 2}) {
        CAPTURE(version);
        const OldFile old(version);
        const auto& path = old.path;
        MirrorFile file(options_for(path), noon());
        Eraser eraser = file.eraser();
        eraser.begin(by_destination());
        CHECK(eraser.finish(noon(500), [] { return noon(501); }).front().rows == 1);
        CHECK(eraser.clean(std::chrono::milliseconds(100)));
        CHECK(ask(path, "SELECT count(*) FROM impressions WHERE id = 7") == "0");
        CHECK(ask(path, "SELECT id || ' ' || timestamp FROM erased") == "7 2026-03-01 13:00:07");
        CHECK(bytes_of(path)->find(R"({"new":"field"})") == std::string::npos);
        // A re-read shows it again.
        copernica::Page page;
        page.rows.push_back(row(page, 7, 7));
        page.rows.push_back(row(page, 21, 21));
        const sync::Written written =
            file.writer(impressions)
                .commit(whole(noon_window(7, 22), std::move(page)), noon(600), at(noon(600)));
        CHECK(written.inserted == 1);
        CHECK(ask(path, "SELECT count(*) FROM impressions WHERE id = 7") == "0");
        CHECK(ask(path, "PRAGMA integrity_check") == "ok");
    }
}

TEST_CASE("erase --dry-run: an older file is refused with what to do, and stays as it is") {
    for (const int version : {1, 2}) {
        CAPTURE(version);
        const OldFile old(version);
        const auto& path = old.path;
        const auto before = bytes_of(path);
        CHECK_THROWS_WITH_AS(
            count_erasure(path, options_for(path).zone, by_destination()),
            doctest::Contains("made by an older version of this program, which any command that "
                              "writes brings up to date; run `sync` first"),
            DatabaseError);
        CHECK(bytes_of(path) == before);
        CHECK(ask(path, "PRAGMA user_version") == std::to_string(version));
    }
}
