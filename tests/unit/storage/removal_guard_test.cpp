// Rows that are missing in a whole read: a few, and a mass of them.
#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "storage/status_reader.hpp"
#include "tests/unit/storage/fixture.hpp"

using namespace mirror;
using namespace mirror::storage;
using namespace mirror::storage::testing;

namespace {

constexpr std::int64_t hour = 3600;

// A file of 400 rows, one a second.
struct FourHundred {
    FourHundred() { show(noon_window(0, 400), 1, 400, 400); }

    // A read of the window at noon(moment) that shows the rows of these IDs.
    sync::Written show(const Window& window, std::int64_t first, std::int64_t last,
                       std::int64_t moment) {
        copernica::Page page;
        for (std::int64_t id = first; id <= last; ++id) {
            page.rows.push_back(row(page, id, id - 1));
        }
        return file.writer(impressions)
            .commit(whole(window, std::move(page)), noon(moment), at(noon(moment)));
    }
    std::string removed() const {
        return ask(path, "SELECT count(*) FROM impressions WHERE removed_at IS NOT NULL");
    }
    std::vector<Doubt> doubts() const {
        StatusOptions options;
        options.path = path;
        return read_status(options).of(impressions).doubts;
    }

    TemporaryDirectory directory;
    std::filesystem::path path = directory / "m.db";
    MirrorFile file{options_for(path), noon()};
};

}  // namespace

TEST_CASE("a few rows that are gone are removed at once") {
    FourHundred scene;
    const sync::Written written = scene.show(noon_window(0, 400), 1, 300, 500);
    CHECK(written.removed == 100);
    CHECK(written.doubted == 0);
    CHECK(scene.removed() == "100");
    CHECK(scene.doubts().empty());
}

TEST_CASE("a mass of rows is removed when a read an hour later agrees, and not before") {
    FourHundred scene;
    const std::string before = ask(scene.path, "SELECT max(changed_at) FROM impressions");
    const sync::Written first = scene.show(noon_window(0, 400), 1, 200, 500);
    CHECK(first.removed == 0);
    CHECK(first.doubted == 200);
    CHECK(scene.removed() == "0");
    CHECK(ask(scene.path, "SELECT max(changed_at) FROM impressions") == before);
    REQUIRE(scene.doubts().size() == 1);
    CHECK(scene.doubts().front().rows == 200);
    CHECK(scene.doubts().front().noticed_at == noon(500));
    CHECK(scene.file.reader(impressions).doubts(noon(499)).empty());
    CHECK(scene.file.reader(impressions).doubts(noon(500)) == WindowSet(noon_window(0, 400)));

    const sync::Written soon = scene.show(noon_window(0, 400), 1, 200, 500 + hour - 1);
    CHECK(soon.removed == 0);
    CHECK(soon.doubted == 200);
    CHECK(scene.doubts().front().noticed_at == noon(500));

    const sync::Written later = scene.show(noon_window(0, 400), 1, 200, 500 + hour);
    CHECK(later.removed == 200);
    CHECK(later.doubted == 0);
    CHECK(scene.removed() == "200");
    CHECK(scene.file.reader(impressions).fact("removed") == "200");
    CHECK(scene.doubts().empty());
}

TEST_CASE("an hour of emptiness leaves no trace") {
    FourHundred scene;
    scene.show(noon_window(0, 400), 1, 0, 500);
    REQUIRE_FALSE(scene.doubts().empty());
    const sync::Written back = scene.show(noon_window(0, 400), 1, 400, 500 + hour);
    CHECK(back.unchanged == 400);
    CHECK(back.removed == 0);
    CHECK(scene.doubts().empty());
    CHECK(scene.removed() == "0");
}

TEST_CASE("a mass that is spread over many windows is one, too") {
    FourHundred scene;
    std::uint64_t removed = 0;
    std::uint64_t unmarked = 0;
    for (std::int64_t begin = 0; begin < 400; begin += 40) {
        const sync::Written written = scene.show(noon_window(begin, begin + 40), 1, 0, 500 + begin);
        removed += written.removed;
        unmarked += written.unmarked;
    }
    CHECK(removed == unmarked);
    CHECK(scene.removed() == "0");
    CHECK(scene.file.reader(impressions).fact("removed") == "0");
    CHECK(scene.file.reader(impressions).doubts(Instant::max()) == WindowSet(noon_window(0, 400)));
    std::uint64_t rows = 0;
    for (const Doubt& doubt : scene.doubts()) {
        rows += doubt.rows;
    }
    CHECK(rows == 400);
    // Half of it is read again.
    CHECK(scene.show(noon_window(0, 200), 1, 0, 1000 + hour).removed == 200);
    CHECK(scene.file.reader(impressions).doubts(Instant::max()) ==
          WindowSet(noon_window(200, 400)));
}

TEST_CASE("what was removed an hour before does not count for a mass") {
    FourHundred scene;
    CHECK(scene.show(noon_window(0, 400), 1, 310, 500).removed == 90);
    SUBCASE("within the hour it does") {
        const sync::Written written = scene.show(noon_window(0, 400), 1, 220, 500 + hour - 1);
        CHECK(written.removed == 0);
        CHECK(written.unmarked == 90);
        CHECK(written.doubted == 180);
        CHECK(scene.removed() == "0");
    }
    SUBCASE("an hour later") {
        CHECK(scene.show(noon_window(0, 400), 1, 220, 500 + hour).removed == 90);
        CHECK(scene.removed() == "180");
    }
    SUBCASE("after the clock was set back") {
        CHECK(scene.show(noon_window(0, 400), 1, 220, 499).removed == 90);
        CHECK(scene.removed() == "180");
    }
}

TEST_CASE("what was removed and came back is not in doubt when a mass follows") {
    FourHundred scene;
    CHECK(scene.show(noon_window(0, 50), 1, 20, 500).removed == 30);
    CHECK(scene.show(noon_window(0, 50), 1, 50, 600).updated == 30);
    const sync::Written written = scene.show(noon_window(50, 400), 51, 100, 700);
    CHECK(written.unmarked == 0);
    CHECK(written.doubted == 300);
    CHECK(scene.file.reader(impressions).doubts(Instant::max()) == WindowSet(noon_window(50, 400)));
}

TEST_CASE("a mass that was noticed while the clock was ahead waits for an hour, too") {
    FourHundred scene;
    scene.show(noon_window(0, 400), 1, 200, 500 + 1000 * hour);
    REQUIRE(scene.doubts().size() == 1);
    CHECK(scene.show(noon_window(0, 400), 1, 200, 500).doubted == 200);
    CHECK(scene.file.reader(impressions).doubts(noon(500)) == WindowSet(noon_window(0, 400)));
    CHECK(scene.show(noon_window(0, 400), 1, 200, 500 + hour - 1).removed == 0);
    CHECK(scene.show(noon_window(0, 400), 1, 200, 500 + hour).removed == 200);
    CHECK(scene.doubts().empty());
}

TEST_CASE("a doubt before the horizon is settled: these rows have expired") {
    FourHundred scene;
    scene.show(noon_window(0, 400), 1, 200, 500);
    const Zone zone("Europe/Amsterdam");
    scene.file.writer(impressions).settle_expired(zone.to_local(noon(300)), noon(400), noon(600));
    CHECK(scene.file.reader(impressions).doubts(Instant::max()) ==
          WindowSet(noon_window(300, 400)));
    scene.file.writer(impressions).settle_expired(zone.to_local(noon(400)), noon(400), noon(600));
    CHECK(scene.doubts().empty());
    CHECK(scene.removed() == "0");
}
