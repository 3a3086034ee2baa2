// What single fields may hold, and records that cannot be rows.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/end_to_end/scene.hpp"
#include "tests/simulator/nasty.hpp"

using namespace mirror;
using namespace mirror::test;
using simulator::Behaviour;

namespace {

const std::vector<std::string>& hostile_texts() {
    static const std::vector<std::string> all{
        "plain",
        "",
        " ",
        "it's \"quoted\" and `ticked`",
        "'; DROP TABLE impression_rows; --",
        "\\ \\\\ \\u0041 \\/ /",
        std::string("nul \0 inside", 12),
        "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b",
        "line\r\nfeed\tand tab\x7f",
        "\xf0\x9f\x98\x80 \xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9",
        "\xe2\x80\xae"
        "desrever",
        "broken \xff\xfe\xc3 utf-8 \xed\xa0\x80",
        "{\"json\":[1,2,3]}",
        "%s %n {} {0}",
        "=cmd|' /C calc'!A0",
        std::string(4096, 'x'),
        std::string(70'000, '\xff'),
    };
    return all;
}

bool printable(const std::string& text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return c == '\n' || (byte >= 0x20 && byte != 0x7f);
    });
}

}  // namespace

TEST_CASE("values: hostile texts are kept as they are, and shown nowhere") {
    for (const auto encoding : {simulator::Encoding::php, simulator::Encoding::utf8}) {
        CAPTURE(static_cast<int>(encoding));
        Behaviour behaviour;
        behaviour.encoding = encoding;
        Scene scene(behaviour);
        populate(scene, 50);
        std::int64_t id = 100'000;
        for (const std::string& text : hostile_texts()) {
            ++id;
            simulator::Row hostile = row(id, present() - Seconds(1000 + id % 100));
            hostile.useragent = text;
            scene.account.add(hostile);
            hostile.id = ++id;
            hostile.device = text;
            hostile.ip = text;
            scene.account.add(hostile);
        }
        const Run run = scene.run({"sync", "--log-level", "trace"});
        CHECK(scene.complaint(run) == "");
        CHECK(printable(run.out + run.err));
        CHECK((run.out + run.err).find("DROP TABLE") == std::string::npos);
        const Run status = scene.run({"status"});
        CHECK(status.code == 0);
        CHECK(printable(status.out + status.err));
        CHECK(scene.query("PRAGMA integrity_check") == "ok");
        // One that changes to another hostile one.
        scene.account.change(100'001, [](simulator::Row& changed) {
            changed.at = present() - Seconds(30);
            changed.useragent = "'\x1b[2J";
        });
        scene.server.clock().advance(Seconds(10));
        CHECK(scene.complaint(scene.run({"sync"})) == "");
    }
}

TEST_CASE("values: hostile texts in an account's name and in errors") {
    Behaviour behaviour;
    behaviour.identity.name = "\x1b[31mEvil\x1b[0m'; DROP TABLE mirror; --";
    Scene scene(behaviour);
    populate(scene, 50);
    CHECK(scene.complaint(scene.run({"sync"})) == "");
    const Run status = scene.run({"status"});
    CHECK(status.code == 0);
    CHECK(printable(status.out + status.err));
    scene.server.set_rule(
        simulator::rules::always(simulator::faults::error(404, "\x1b[31mno such\x07 thing")));
    const Run run = scene.run({"sync", "--log-level", "trace"});
    CHECK(run.code == 1);
    CHECK(printable(run.out + run.err));
    const Run after = scene.run({"status"});
    CHECK(printable(after.out));
    scene.server.set_rule({});
    scene.server.change([](Behaviour& other) { other.identity.id = "35\x1b[2J"; });
    const Run refused = scene.run({"sync"});
    CHECK(refused.code == 3);
    CHECK(printable(refused.out + refused.err));
}

TEST_CASE("values: large IDs, and numbers in every form") {
    for (const auto numbers :
         {simulator::Numbers::strings, simulator::Numbers::numbers, simulator::Numbers::today}) {
        CAPTURE(static_cast<int>(numbers));
        Behaviour behaviour;
        behaviour.numbers = numbers;
        Scene scene(behaviour);
        populate(scene, 50);
        const std::int64_t most = std::numeric_limits<std::int64_t>::max();
        int seconds = 10;
        for (const std::int64_t id :
             {std::int64_t{1} << 31, std::int64_t{1} << 32, (std::int64_t{1} << 32) + 7,
              (std::int64_t{1} << 53) + 1, most - 1, most}) {
            simulator::Row large = row(id, present() - Seconds(++seconds));
            large.mailing = most;
            large.destination = 0;
            large.profile = (std::int64_t{1} << 40) + 1;
            large.subprofile = most - 1;
            scene.account.add(large);
        }
        CHECK(scene.complaint(scene.run({"sync"})) == "");
    }
}

TEST_CASE("values: the fields of today's page are absent") {
    Behaviour behaviour;
    behaviour.profile_fields = false;
    Scene scene(behaviour);
    scene.server.clock().stand_at(present());
    for (std::int64_t id = 1; id <= 200; ++id) {
        simulator::Row old = row(id, present() - Seconds(100 * id));
        old.profile.reset();
        old.subprofile.reset();
        scene.account.add(old);
    }
    CHECK(scene.complaint(scene.run({"sync"})) == "");
}

TEST_CASE("values: everything that may be null is") {
    Scene scene;
    scene.server.clock().stand_at(present());
    for (std::int64_t id = 1; id <= 20; ++id) {
        simulator::Row bare;
        bare.id = id;
        bare.at = present() - Seconds(100 * id);
        scene.account.add(bare);
    }
    CHECK(scene.complaint(scene.run({"sync"})) == "");
    CHECK(
        scene.query("SELECT count(*) FROM impressions WHERE useragent IS NULL AND extra IS NULL") ==
        "20");
}

TEST_CASE("values: unknown fields are kept in extra, sorted") {
    Scene scene;
    populate(scene, 50);
    simulator::Row extended = row(100'000, present() - Seconds(1000));
    extended.extra = R"("zone":"x","country":"NL","tags":["b","a"],"nested":{"b":1,"a":null})";
    scene.account.add(extended);
    CHECK(scene.complaint(scene.run({"sync"})) == "");
    CHECK(scene.query("SELECT extra FROM impressions WHERE id = 100000") ==
          R"({"country":"NL","nested":{"a":null,"b":1},"tags":["b","a"],"zone":"x"})");
    CHECK(scene.query("SELECT count(*) FROM impressions WHERE extra IS NOT NULL") == "1");

    scene.server.change(
        [](Behaviour& behaviour) { behaviour.extra_members = "\"everywhere\":true"; });
    REQUIRE(scene.run({"backfill", "--from", "2026-06-01", "--force"}).code == 0);
    CHECK(scene.difference() == "");
    CHECK(scene.query("SELECT count(*) FROM impressions WHERE extra LIKE '%everywhere%'") == "51");
}

TEST_CASE("values: a known field of the wrong kind is NULL, and in extra") {
    Scene scene;
    populate(scene, 50);
    simulator::Row odd = row(100'000, present() - Seconds(1000));
    odd.raw =
        R"({"ID":100000,"mailing":"many","timestamp":"2026-11-23 16:43:20","ip":17,)"
        R"("useragent":["a"],"device":null,"destination":"100","profile":1.5,"subprofile":-3})";
    scene.account.add(odd);
    const Run run = scene.run({"sync"});
    CAPTURE(run.err);
    CHECK(run.code == 0);
    CHECK(scene.query("SELECT count(*) FROM impressions WHERE id = 100000 AND mailing IS NULL AND "
                      "ip IS NULL AND useragent IS NULL AND profile IS NULL AND "
                      "destination = 100") == "1");
    CHECK(scene.query("SELECT extra FROM impressions WHERE id = 100000").find("many") !=
          std::string::npos);
}

TEST_CASE("values: records as no API should send them are never lost") {
    for (const auto order : {simulator::Order::by_time, simulator::Order::shuffled}) {
        Behaviour behaviour;
        behaviour.order = order;
        Scene scene(behaviour);
        populate(scene, 50);
        const auto nasty = simulator::nasty_rows(scene.account.chosen(), 100'000,
                                                 present() - Seconds(1000), scene.account.zone());
        for (const simulator::NastyRow& one : nasty) {
            scene.account.add(one.row);
        }
        CHECK(scene.complaint(scene.run({"sync"})) == "");
        for (const simulator::NastyRow& one : nasty) {
            CAPTURE(one.what);
            const std::string extra = scene.query("SELECT extra FROM impressions WHERE id = " +
                                                  std::to_string(one.row.id));
            CHECK(extra.find(one.in_extra) != std::string::npos);
        }
        CHECK(scene.query("SELECT count(*) FROM rejects") == "0");
    }
}

TEST_CASE("values: malformed records go to rejects, and leave when they are mended") {
    Scene scene;
    populate(scene, 500);
    const auto add = [&](std::int64_t id, const std::string& raw) {
        simulator::Row bad = row(id, present() - Seconds(3000 + (id % 100) * 7));
        bad.raw = raw;
        scene.account.add(bad);
    };
    add(100'001, R"({"ID":"abc","timestamp":"2026-11-23 16:09:53","mailing":"1"})");
    add(100'002, R"({"timestamp":"2026-11-23 16:09:46","ip":"192.0.2.1"})");
    simulator::Row timeless = row(100'003, present() - Seconds(3021));
    timeless.timestamp = "0000-00-00 00:00:00";
    scene.account.add(timeless);
    const Run run = scene.run({"sync"});
    CHECK(scene.complaint(run) == "");
    CHECK(run.err.find("rejects") != std::string::npos);
    CHECK(run.out.find("rejected") != std::string::npos);
    CHECK(scene.query("SELECT count(*) FROM rejects") == "3");
    CHECK(scene.query("SELECT count(*) FROM rejects WHERE reason LIKE '%ID%'") == "2");
    CHECK(scene.query("SELECT record FROM rejects WHERE record LIKE '%abc%'") ==
          R"({"ID":"abc","mailing":"1","timestamp":"2026-11-23 16:09:53"})");
    CHECK(scene.run({"status", "--json"}).out.find("\"rejects\":3") != std::string::npos);

    for (const std::int64_t id : {100'001, 100'002, 100'003}) {
        scene.account.change(id, [](simulator::Row& mended) {
            mended.raw.reset();
            mended.timestamp.reset();
        });
    }
    // A record without a time lies anywhere in the window that returned it: all of that is read.
    const Run again = scene.run({"backfill", "--from", "2000-01-01", "--force"});
    CHECK(scene.complaint(again) == "");
    CHECK(scene.query("SELECT count(*) FROM rejects") == "0");
}

TEST_CASE("values: equal records that cannot be rows count as often as the API shows them") {
    Scene scene;
    populate(scene, 500);
    for (const std::int64_t id : {100'001, 100'002}) {
        simulator::Row bad = row(id, present() - Seconds(3000));
        bad.raw = R"({"ID":null,"timestamp":"2026-11-23 16:10:00","mailing":"1"})";
        scene.account.add(bad);
    }
    const Run run = scene.run({"sync"});
    CHECK(scene.complaint(run) == "");
    CHECK(scene.query("SELECT copies FROM rejects") == "2");
    CHECK(scene.run({"audit"}).code == 0);
    // One of them goes.
    scene.account.remove(100'002);
    CHECK(scene.run({"audit", "--repair"}).code == 0);
    CHECK(scene.query("SELECT copies FROM rejects") == "1");
    CHECK(scene.complaint(scene.run({"backfill", "--from", "2000-01-01"})) == "");
}

TEST_CASE("values: a page of unusable records counts if a second reply has the same ones") {
    Scene scene;
    scene.server.clock().stand_at(present());
    for (std::int64_t id = 1; id <= 50; ++id) {
        simulator::Row bad = row(id, present() - Seconds(60 + id));
        bad.raw = R"({"ID":null,"timestamp":"2026-11-23 16:58:00"})";
        scene.account.add(bad);
    }
    const Run run = scene.run({"sync"});
    CAPTURE(run.err);
    CHECK(run.code == 0);
    CHECK(run.err.find("unusable") != std::string::npos);
    CHECK(scene.query("SELECT sum(copies) FROM rejects") == "50");
}
