#include "core/util/nearest_word.hpp"

#include <string>

#include <doctest/doctest.h>

using mirror::nearest_word;

TEST_CASE("nearest word: what was probably meant") {
    const std::vector<std::string> commands{"run", "sync", "backfill", "audit", "status", "check"};
    struct Row {
        std::string word;
        std::string meant;  ///< empty: none
    };
    const Row rows[] = {
        {"synch", "sync"},
        {"snyc", "sync"},
        {"syn", "sync"},
        {"chekc", "check"},
        {"back-fill", "backfill"},
        {"backfil", "backfill"},
        {"stats", "status"},
        {"rn", "run"},
        {"runn", "run"},
        {"audti", "audit"},
        {"st", "status"},
        {"SYNC", ""},
        {"s", ""},
        {"", ""},
        {"download", ""},
        {"import", ""},
        {"xyz", ""},
        {std::string(1000, 's'), ""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.word);
        CHECK(nearest_word(row.word, commands).value_or("") == row.meant);
    }
    CHECK(nearest_word("--form", {"--from", "--force", "--to"}) == "--from");
    CHECK(nearest_word("--data", {"--database", "--debug"}) == "--database");
    CHECK_FALSE(nearest_word("--d", {"--database", "--debug"}));
    CHECK_FALSE(nearest_word("sync", {}));
}
