// What a file does with rows that its account has dropped.

#include <algorithm>

#include <doctest/doctest.h>

#include "core/record/stream.hpp"
#include "core/sync/horizon_facts.hpp"
#include "core/sync/metadata.hpp"
#include "core/time/text.hpp"
#include "tests/unit/storage/fixture.hpp"

using namespace mirror;
using namespace mirror::storage;
using namespace mirror::storage::testing;

namespace {

LocalTime local_noon(std::int64_t offset) {
    return Zone("Europe/Amsterdam").to_local(noon(offset));
}

std::size_t mailing_slot() {
    const auto fields = streams().front().fields;
    return std::find_if(fields.begin(), fields.end(),
                        [](const Field& field) { return field.name == "mailing"; })
        ->slot;
}

void set_horizon(MirrorFile& file, Instant begin) {
    plan::Horizon horizon;
    horizon.begin = begin;
    file.writer(impressions).set_facts(sync::horizon_facts(horizon));
}

}  // namespace

TEST_CASE("the n-th record, in the order of time") {
    TemporaryDirectory directory;
    MirrorFile file(options_for(directory / "m.db"), noon());
    copernica::Page page = rows(1, 4);  // at noon + 0, 1, 2 and 3
    page.rejects.push_back(reject("a", "2026-03-01 13:00:30"));
    file.writer(impressions)
        .commit(whole(noon_window(0, 60), std::move(page)), noon(60), at(noon(60)));
    const LocalTime end = local_noon(60);
    const auto first = file.reader(impressions).nth_record(local_noon(0), end, 0);
    CHECK(first == local_noon(0));
    CHECK(file.reader(impressions).nth_record(local_noon(0), end, 3) == local_noon(3));
    CHECK(file.reader(impressions).nth_record(local_noon(0), end, 4) ==
          parse_local("2026-03-01 13:00:30"));
    CHECK_FALSE(file.reader(impressions).nth_record(local_noon(0), end, 5));
    CHECK(file.reader(impressions).nth_record(local_noon(1), end, 0) == local_noon(1));
}

TEST_CASE("rows before the horizon are not marked as removed, those after it are") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    file.writer(impressions).commit(whole(noon_window(0, 60), rows(1, 20)), noon(60), at(noon(60)));
    set_horizon(file, noon(10));
    const auto written =
        file.writer(impressions)
            .commit(whole(noon_window(0, 60), copernica::Page()), noon(90), at(noon(90)));
    CHECK(written.removed == 10);
    CHECK(ask(path,
              "SELECT count(*) FROM impressions WHERE removed_at IS NULL AND timestamp < "
              "'2026-03-01 13:00:10'") ==
          ask(path, "SELECT count(*) FROM impressions WHERE timestamp < '2026-03-01 13:00:10'"));
    CHECK(ask(path,
              "SELECT count(*) FROM impressions WHERE removed_at IS NULL AND timestamp >= "
              "'2026-03-01 13:00:10'") == "0");
}

TEST_CASE("what was marked as removed since the last count and turns out to have expired is kept") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    file.writer(impressions).commit(whole(noon_window(0, 60), rows(1, 20)), noon(60), at(noon(60)));
    copernica::Page later;
    for (std::int64_t id = 11; id <= 20; ++id) {
        later.rows.push_back(row(later, id, id - 1));
    }
    file.writer(impressions)
        .commit(whole(noon_window(0, 60), std::move(later)), noon(90), at(noon(90)));
    CHECK(ask(path, "SELECT count(*) FROM impressions WHERE removed_at > 0") == "10");
    // Removed before the last count that agreed: it did not expire.
    file.writer(impressions).settle_expired(local_noon(60), noon(91), noon(100));
    CHECK(ask(path, "SELECT count(*) FROM impressions WHERE removed_at > 0") == "10");
    CHECK(file.writer(impressions).settle_expired(local_noon(60), noon(80), noon(100)) == 20);
    CHECK(ask(path, "SELECT count(*) FROM impressions WHERE removed_at > 0") == "0");
    CHECK(ask(path, "SELECT value FROM mirror WHERE key = 'removed'") == "0");
    CHECK(ask(path, "SELECT count(*) FROM impressions WHERE changed_at >= " +
                        std::to_string(noon(100).time_since_epoch().count())) == "10");
}

TEST_CASE("pruning before the horizon deletes what is older, and nothing else") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    file.writer(impressions).commit(whole(noon_window(0, 60), rows(1, 20)), noon(60), at(noon(60)));
    const std::string older =
        ask(path, "SELECT count(*) FROM impressions WHERE timestamp < '2026-03-01 13:00:10'");
    CHECK(std::to_string(file.writer(impressions).prune_before(local_noon(10))) == older);
    CHECK(ask(path, "SELECT count(*) FROM impressions WHERE timestamp < '2026-03-01 13:00:10'") ==
          "0");
    CHECK(ask(path, "SELECT value FROM mirror WHERE key = 'rows'") ==
          ask(path, "SELECT count(*) FROM impressions"));
}

TEST_CASE("coverage that was written with other rules of the zone is found") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    {
        MirrorFile file(options_for(path), noon());
        file.writer(impressions)
            .commit(whole(noon_window(0, 60), rows(1, 3)), noon(60), at(noon(60)));
        file.writer(impressions)
            .commit(whole(noon_window(600, 660), copernica::Page()), noon(660), at(noon(660)));
        CHECK(file.reader(impressions).covered_by_other_rules().empty());
    }
    meddle(path,
           "UPDATE coverage SET local_end = '2026-03-01 14:11:00' WHERE local_end = "
           "'2026-03-01 13:11:00'");
    MirrorFile file(options_for(path), noon());
    CHECK(file.reader(impressions).covered_by_other_rules() == WindowSet(noon_window(600, 660)));
    file.writer(impressions).uncover(WindowSet(noon_window(630, 660)));
    CHECK(file.reader(impressions).covered_by_other_rules().empty());
}

TEST_CASE("an ID that comes back with another time and another mailing is reported") {
    TemporaryDirectory directory;
    MirrorFile file(options_for(directory / "m.db"), noon());
    const auto commit = [&](std::int64_t offset, std::int64_t mailing) {
        copernica::Page page;
        Row values = row(page, 7, offset);
        values.integers[mailing_slot()] = mailing;
        page.rows.push_back(values);
        return file.writer(impressions)
            .commit(whole(noon_window(0, 600), std::move(page)), noon(600), at(noon(600)));
    };
    CHECK(commit(10, 1).replaced.empty());
    CHECK(commit(10, 2).replaced.empty());  // a mailing that was corrected
    CHECK(commit(11, 2).replaced.empty());  // or a time
    const auto written = commit(200, 3);
    REQUIRE(written.replaced.size() == 1);
    CHECK(written.replaced.front().id == 7);
    CHECK(written.replaced.front().mailing_before == 2);
    CHECK(written.replaced.front().mailing == 3);
    CHECK(written.replaced.front().time_before == "2026-03-01 13:00:11");
    CHECK(written.replaced.front().time == local_noon(200));
}
