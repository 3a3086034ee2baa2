// Records that share an ID.
#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "tests/unit/storage/fixture.hpp"

using namespace mirror;
using namespace mirror::storage;
using namespace mirror::storage::testing;

namespace {

const LocalTime begin = *parse_local("2026-03-01 13:00:00");  // noon()

// A file that has the ID 5 of noon(5), and then is shown one of noon(70), too.
struct TwoWindows {
    TwoWindows() {
        write(noon_window(0, 60), {5}, {});
        second = write(noon_window(60, 120), {}, {70});
    }

    // A read of the window: rows of their own IDs, and those of ID 5 at these offsets.
    sync::Written write(const Window& window, const std::vector<std::int64_t>& offsets,
                        const std::vector<std::int64_t>& more) {
        copernica::Page page;
        for (const auto* const all : {&offsets, &more}) {
            for (const std::int64_t offset : *all) {
                page.rows.push_back(row(page, 5, offset));
            }
        }
        std::vector<sync::WholeWindow> windows = whole(window, std::move(page));
        if (offsets.size() + more.size() > 1) {
            windows.front().records.repeated_ids.push_back(5);
        }
        return file.writer(impressions).commit(windows, noon(200), at(noon(200)));
    }
    std::string row_time() const { return ask(path, "SELECT timestamp FROM impressions"); }

    TemporaryDirectory directory;
    std::filesystem::path path = directory / "m.db";
    MirrorFile file{options_for(path), noon()};
    sync::Written second;
};

}  // namespace

TEST_CASE("two records with one ID in one window: the earlier is the row, both are kept") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    for (int read = 0; read < 2; ++read) {
        CAPTURE(read);
        copernica::Page page;
        page.rows.push_back(row(page, 5, 30));
        page.rows.push_back(row(page, 6, 20));
        page.rows.push_back(row(page, 5, 10));
        std::vector<sync::WholeWindow> windows = whole(noon_window(0, 60), std::move(page));
        windows.front().records.repeated_ids = {5};
        const sync::Written written =
            file.writer(impressions).commit(windows, noon(60), at(noon(60)));
        CHECK(written.inserted == (read == 0 ? 2 : 0));
        CHECK(written.updated == 0);
        CHECK(written.removed == 0);
        CHECK(written.rejected == 1);
        CHECK(written.repeated_ids.size() == (read == 0 ? 1 : 0));
        CHECK(ask(path, "SELECT timestamp FROM impressions WHERE id = 5") == "2026-03-01 13:00:10");
        CHECK(ask(path, "SELECT id || ' ' || timestamp || ' ' || reason FROM rejects") ==
              "5 2026-03-01 13:00:30 another record has its ID: 5, that of 2026-03-01 13:00:10");
        CHECK(file.reader(impressions).count(begin, begin + Seconds(59)) == 3);
    }
}

TEST_CASE("a second record in another window is kept beside the row, which is read again once") {
    TwoWindows scene;
    CHECK(scene.second.inserted == 0);
    CHECK(scene.second.updated == 0);
    CHECK(scene.second.repeated_ids == std::vector<std::int64_t>{5});
    CHECK(scene.second.read_again == WindowSet(noon_window(5, 6)));
    WindowSet covered(noon_window(0, 120));
    covered.subtract(noon_window(5, 6));
    CHECK(scene.file.reader(impressions).coverage(0) == covered);
    CHECK(scene.row_time() == "2026-03-01 13:00:05");

    // It is still there.
    const sync::Written again = scene.write(noon_window(5, 6), {5}, {});
    CHECK(again.unchanged == 1);
    CHECK(again.read_again.empty());
    CHECK(scene.file.reader(impressions).coverage(0) == WindowSet(noon_window(0, 120)));
    CHECK(scene.file.reader(impressions).count(begin, begin + Seconds(119)) == 2);
    // And what is known is not asked again.
    CHECK(scene.write(noon_window(60, 120), {}, {70}).read_again.empty());
    CHECK(scene.file.reader(impressions).fact("rejects") == "1");
    // Both in one read, the same.
    const sync::Written both = scene.write(noon_window(0, 120), {5}, {70});
    CHECK(both.updated == 0);
    CHECK(both.removed == 0);
    CHECK(scene.row_time() == "2026-03-01 13:00:05");
    CHECK(scene.file.reader(impressions).fact("rejects") == "1");
    // When the second one goes, the reject goes.
    scene.write(noon_window(60, 120), {}, {});
    CHECK(scene.file.reader(impressions).fact("rejects") == "0");
}

TEST_CASE("records that all come back as others uncover one period, not thousands of seconds") {
    TemporaryDirectory directory;
    MirrorFile file(options_for(directory / "m.db"), noon());
    const auto write = [&](const Window& window, std::int64_t first_offset, std::int64_t step) {
        copernica::Page page;
        for (std::int64_t id = 1; id <= 100; ++id) {
            page.rows.push_back(row(page, id, first_offset + id * step));
        }
        std::vector<sync::WholeWindow> windows = whole(window, std::move(page));
        return file.writer(impressions).commit(windows, noon(5000), at(noon(5000)));
    };
    write(noon_window(0, 1000), 0, 9);
    const sync::Written moved = write(noon_window(1000, 2000), 1000, 9);
    CHECK(moved.repeated_ids.size() == 100);
    CHECK(moved.read_again == WindowSet(noon_window(9, 901)));
    WindowSet covered(noon_window(0, 2000));
    covered.subtract(noon_window(9, 901));
    CHECK(file.reader(impressions).coverage(0) == covered);

    // What was read in this moment is not to be read again, though such rows lie on both sides.
    copernica::Page page;
    for (std::int64_t id = 1; id <= 100; ++id) {
        page.rows.push_back(row(page, 100 + id, id <= 50 ? id * 9 : 2000 + id * 9));
    }
    std::vector<sync::WholeWindow> around = whole(noon_window(0, 3000), std::move(page));
    file.writer(impressions).commit(around, noon(5000), at(noon(5000)));
    copernica::Page middle;
    for (std::int64_t id = 1; id <= 100; ++id) {
        middle.rows.push_back(row(middle, 100 + id, 1500 + id));
    }
    std::vector<sync::WholeWindow> inside = whole(noon_window(1000, 2000), std::move(middle));
    const sync::Written again = file.writer(impressions).commit(inside, noon(5000), at(noon(5000)));
    WindowSet sides(noon_window(9, 1000));
    sides.add(noon_window(2000, 2901));
    CHECK(again.read_again == sides);
}

TEST_CASE("a record that moved to another window becomes the row again") {
    TwoWindows scene;
    const sync::Written gone = scene.write(noon_window(5, 6), {}, {});
    CHECK(gone.removed == 1);
    CHECK(gone.read_again == WindowSet(noon_window(70, 71)));
    const sync::Written moved = scene.write(noon_window(70, 71), {}, {70});
    CHECK(moved.updated == 1);
    CHECK(moved.read_again.empty());
    CHECK(scene.row_time() == "2026-03-01 13:01:10");
    CHECK(ask(scene.path, "SELECT count(*) FROM impressions WHERE removed_at IS NOT NULL") == "0");
    CHECK(scene.file.reader(impressions).fact("rejects") == "0");
    CHECK(scene.file.reader(impressions).fact("removed") == "0");
    CHECK(scene.file.reader(impressions).coverage(0) == WindowSet(noon_window(0, 120)));
}

TEST_CASE("a record that moved within what is read is a changed row") {
    TwoWindows scene;
    scene.write(noon_window(60, 120), {}, {});
    CHECK(scene.write(noon_window(0, 60), {50}, {}).updated == 1);
    CHECK(scene.row_time() == "2026-03-01 13:00:50");
    CHECK(scene.file.reader(impressions).fact("rejects") == "0");
}

TEST_CASE("a record that is kept as a second one is not a difference") {
    TwoWindows scene;
    copernica::Page page;
    page.rows.push_back(row(page, 5, 70));
    page.rows.push_back(row(page, 7, 70));
    const auto differences =
        scene.file.reader(impressions).compare(whole(noon_window(60, 120), std::move(page)));
    REQUIRE(differences.size() == 1);
    CHECK(differences.front().id == 7);
}
