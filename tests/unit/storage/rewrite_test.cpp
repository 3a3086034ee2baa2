// Taking addresses and user agents out of the rows that a file has.
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/copernica/page_decoder.hpp"
#include "storage/kept_data.hpp"
#include "storage/rewriter.hpp"
#include "storage/status_reader.hpp"
#include "tests/unit/storage/fixture.hpp"

using namespace mirror;
using namespace mirror::storage;
using namespace mirror::storage::testing;
using Addresses = Privacy::Addresses;
using UserAgents = Privacy::UserAgents;
using sync::Rewriting;

namespace {

constexpr Privacy everything{};
constexpr Privacy networks{Addresses::network, UserAgents::full};
constexpr Privacy no_agents{Addresses::full, UserAgents::none};
constexpr Privacy nothing{Addresses::none, UserAgents::none};
const std::string agent = "CanaryBrowser/9.9";
const std::string address = "198.51.100.231";

// A minute of a stream: rows 1 to `rows`, and rejects that differ in their addresses alone.
std::string body(int rows) {
    std::string records;
    for (int id = 1; id <= rows; ++id) {
        records += fmt::format(
            R"({{"ID":{0},"id":{0},"timestamp":"2026-03-01 13:00:{1:02}","ip":"{2}",)"
            R"("useragent":"{3}","device":"device {4}","x":{{"ip":"{2}","user_agent":"{3}"}},)"
            R"("report":{{"ip":"{2}"}},"destination":{0}}},)",
            id, id % 60, address, agent, id % 2);
    }
    for (const char* const last : {"231", "232", "233", "233"}) {
        records += fmt::format(R"({{"ID":"x","id":"x","timestamp":"2026-03-01 13:00:30",)"
                               R"("ip":"198.51.100.{}","useragent":"{}"}},)",
                               last, agent);
    }
    records += fmt::format(R"([{{"ip":"{}","useragent":"{}"}}])", address, agent);
    return R"({"data":[)" + records + "]}";
}

copernica::Page decoded(const Stream& stream, int rows, const Privacy& privacy) {
    copernica::PageDecoder decoder;
    decoder.begin(stream, privacy);
    decoder.feed(body(rows));
    decoder.finish();
    return decoder.take();
}

MirrorOptions options_with(const std::filesystem::path& path, const Privacy& privacy) {
    MirrorOptions options = options_for(path);
    options.privacy = privacy;
    return options;
}

struct Scene {
    // A mirror of all streams, with what a process with this configuration stores.
    explicit Scene(int rows_of_each = 20, const Privacy& privacy = everything)
        : rows(rows_of_each) {
        for (const Stream& stream : streams()) {
            read(stream, privacy);
        }
    }

    sync::Written read(const Stream& stream, const Privacy& privacy, Instant now = noon(600)) {
        MirrorFile file(options_with(path, privacy), now);
        file.writer(stream).claim_account("34", "Development", now);
        return file.writer(stream).commit(whole(noon_window(0, 60), decoded(stream, rows, privacy)),
                                          now, at(now));
    }
    // As a process with another configuration does before it stores anything.
    void configure(const Privacy& privacy, Instant now = noon(700)) {
        MirrorFile file(options_with(path, privacy), now);
        file.writer(impressions).claim_account("34", "Development", now);
    }
    Rewriting portion(const Privacy& privacy, Instant now = noon(800)) {
        return rewrite_portion(options_with(path, privacy), now);
    }
    void rewrite(const Privacy& privacy) {
        Rewriting state = Rewriting::more;
        for (int i = 0; state == Rewriting::more && i < 1000; ++i) {
            state = portion(privacy);
        }
        CHECK(state == Rewriting::done);
    }
    std::uint64_t counted(const Stream& stream, const Privacy& privacy) {
        MirrorFile file(options_with(path, privacy), noon(900));
        return file.reader(stream).count(*parse_local("2026-03-01 13:00:00"),
                                         *parse_local("2026-03-01 13:00:59"));
    }
    std::size_t differences(const Stream& stream, const Privacy& privacy) {
        MirrorFile file(options_with(path, privacy), noon(900));
        return file.reader(stream)
            .compare(whole(noon_window(0, 60), decoded(stream, rows, privacy)))
            .size();
    }
    std::string asked(const std::string& query) const { return ask(path, query); }
    FileStatus status() const { return read_status({path}); }
    bool mixed() const {
        const FileStatus seen = status();
        return seen.kept.some_have_less() || seen.of(impressions).rewriting.has_value();
    }
    // In all files of the directory.
    std::size_t occurrences(std::string_view text) const {
        std::size_t found = 0;
        for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
            const std::string bytes = bytes_of(entry.path()).value_or("");
            for (std::size_t place = bytes.find(text); place != std::string::npos;
                 place = bytes.find(text, place + 1)) {
                ++found;
            }
        }
        return found;
    }

    int rows;
    TemporaryDirectory directory;
    std::filesystem::path path = directory / "m.db";
};

}  // namespace

TEST_CASE("rewriting: nothing of what is not kept is left in the file, in no stream") {
    for (const Privacy& privacy : {networks, no_agents, nothing}) {
        CAPTURE(name_of(privacy.ip));
        CAPTURE(name_of(privacy.useragent));
        Scene scene;
        CHECK(scene.occurrences(address) > 0);
        CHECK(scene.occurrences(agent) > 0);
        scene.configure(privacy);
        CHECK(scene.mixed());
        scene.rewrite(privacy);
        CHECK_FALSE(scene.mixed());
        const bool cut_agents = privacy.useragent == UserAgents::none;
        CHECK((scene.occurrences(address) == 0) == (privacy.ip != Addresses::full));
        CHECK((scene.occurrences("198.51.100.") == 0) == (privacy.ip == Addresses::none));
        CHECK((scene.occurrences(agent) == 0) == cut_agents);
        CHECK(scene.asked("SELECT count(*) FROM user_agents WHERE useragent IS NOT NULL") ==
              (cut_agents ? "0" : "3"));
        // What is stored now is what the API gives: nothing changes, and nothing differs.
        for (const Stream& stream : streams()) {
            CAPTURE(std::string(stream.name));
            CHECK(scene.differences(stream, privacy) == 0);
            const sync::Written written = scene.read(stream, privacy);
            CHECK(written.inserted == 0);
            CHECK(written.updated == 0);
            CHECK(written.removed == 0);
            CHECK(scene.counted(stream, privacy) == 25);
        }
        CHECK(scene.portion(privacy) == Rewriting::none);
    }
}

TEST_CASE("rewriting: a row has what is kept, and is a changed row") {
    Scene scene;
    const std::string before = scene.asked("SELECT max(changed_at) FROM impressions");
    scene.configure({Addresses::network, UserAgents::none});
    scene.rewrite({Addresses::network, UserAgents::none});
    CHECK(
        scene.asked("SELECT ip || ' ' || ifnull(useragent, '-') || ' ' || device || ' ' || extra "
                    "FROM impressions WHERE id = 7") ==
        R"(198.51.100.0 - device 1 {"id":7,"report":{"ip":"198.51.100.0"},"x":{"ip":"198.51.100.0"}})");
    CHECK(scene.asked("SELECT ip || ' ' || ifnull(useragent, '-') FROM clicks WHERE id = 7") ==
          "198.51.100.0 -");
    CHECK(scene.asked("SELECT report FROM abuses WHERE id = 7") == R"({"ip":"198.51.100.0"})");
    CHECK(scene.asked("SELECT min(changed_at) > " + before + " FROM impressions") == "1");
    CHECK(scene.asked("SELECT max(changed_at) FROM impressions") ==
          scene.asked("SELECT value FROM mirror WHERE stream = 'impressions' "
                      "AND key = 'last_change'"));
    CHECK(scene.asked("SELECT max(first_seen) FROM impressions") == before);
    // Nothing is known of what opened a mail, where no rule holds for the device alone.
    CHECK(scene.asked("SELECT count(*) FROM opens WHERE kind IS NULL") == "20");
    CHECK(scene.asked("SELECT count(*) FROM user_agents") == "2");
    CHECK(scene.asked("SELECT count(*) FROM open_kinds") == "0");
}

TEST_CASE("privacy: who is a person is not known without user agents") {
    Scene scene;
    const std::string people =
        "SELECT ifnull(unique_person_opens, 'unknown') FROM mailing_results WHERE mailing = 7";
    CHECK(scene.asked(people) == "0");
    scene.configure(networks);
    CHECK(scene.asked(people) == "0");
    scene.configure(no_agents);
    CHECK(scene.asked(people) == "unknown");
    scene.rewrite(no_agents);
    CHECK(scene.asked(people) == "unknown");
}

TEST_CASE("privacy: a reject that was erased does not come back with less of its address") {
    Scene scene(1);
    const auto read = [&](const Privacy& privacy) {
        MirrorFile file(options_with(scene.path, privacy), noon(900));
        file.writer(impressions).claim_account("34", "Development", noon(900));
        const std::string record = R"({"ID":"abc","ip":"198.51.100.7","profile":777001})";
        copernica::Page page;
        page.rejects = {reject(cut_json(privacy, record).value(), "2026-03-01 13:01:30")};
        return file.writer(impressions)
            .commit(whole(noon_window(60, 120), std::move(page)), noon(900), at(noon(900)))
            .rejected;
    };
    CHECK(read(everything) == 1);
    {
        MirrorFile file(options_with(scene.path, everything), noon(910));
        ErasureRequest request;
        request.streams = {&impressions};
        ErasureRule rule;
        rule.id = 777001;
        request.rules = {rule};
        file.eraser().begin(request);
    }
    for (const Privacy& privacy : {everything, networks, nothing, everything}) {
        CHECK(read(privacy) == 0);
    }
}

TEST_CASE("rewriting: rows that have nothing to cut are not touched") {
    Scene scene(20, networks);
    const std::string before = scene.asked("SELECT group_concat(changed_at) FROM impressions");
    meddle(scene.path, "UPDATE mirror SET value = 'full' WHERE key = 'privacy_ip'");
    scene.configure(networks, noon(5000));
    scene.rewrite(networks);
    CHECK(scene.asked("SELECT group_concat(changed_at) FROM impressions") == before);
}

TEST_CASE("rewriting: rejects that become equal are one that counts for all") {
    Scene scene;
    CHECK(scene.asked("SELECT count(*) FROM rejects WHERE stream = 'clicks'") == "4");
    scene.configure(nothing);
    scene.rewrite(nothing);
    CHECK(scene.asked("SELECT group_concat(record || ' ' || copies, ' ') FROM (SELECT * FROM "
                      "rejects WHERE stream = 'clicks' ORDER BY record)") ==
          R"([{}] 1 {"ID":"x","id":"x","timestamp":"2026-03-01 13:00:30"} 4)");
    CHECK(scene.asked("SELECT value FROM mirror WHERE stream = 'clicks' AND key = 'rejects'") ==
          "2");
    CHECK(scene.counted(impressions, nothing) == 25);
    CHECK(scene.asked("SELECT count(*) FROM rejects WHERE reason LIKE '%Canary%'") == "0");
}

TEST_CASE("rewriting: more rejects than one transaction takes, and equal ones far apart") {
    Scene scene;
    meddle(scene.path,
           fmt::format("WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM "
                       "numbers WHERE n < 1299) INSERT INTO rejects (stream, received_at, "
                       "\"begin\", \"end\", reason, record) SELECT 'clicks', 1, 1, 2, 'x', "
                       "'{{\"ip\":\"{}\",\"n\":' || n || '}}' FROM numbers",
                       address));
    meddle(scene.path,
           "INSERT INTO rejects (stream, received_at, \"begin\", \"end\", reason, record) VALUES "
           "('clicks', 1, 5, 9, 'x', '{\"ip\":\"198.51.100.99\",\"n\":1}')");
    scene.configure(nothing);
    scene.rewrite(nothing);
    CHECK(scene.asked("SELECT count(*) FROM rejects WHERE record LIKE '%198.51.100%'") == "0");
    CHECK(scene.asked("SELECT count(*) FROM rejects WHERE record LIKE '{\"n\":%'") == "1299");
    CHECK(scene.asked("SELECT copies || ' ' || \"begin\" || ' ' || \"end\" FROM rejects WHERE "
                      "record = '{\"n\":1}'") == "2 1 9");
}

TEST_CASE("rewriting: portions end and go on, and status says how far it is") {
    const int many = 52'000;
    Scene scene(1);
    // More rows than one portion takes, behind the program's back.
    meddle(scene.path, fmt::format(R"(
        WITH RECURSIVE n(id) AS (SELECT 100 UNION ALL SELECT id + 1 FROM n WHERE id < {})
        INSERT INTO impression_rows (id, timestamp, ip, user_agent, first_seen, changed_at)
        SELECT id, '2026-03-01 13:00:01', '{}', 1, 5, 5 FROM n)",
                                   99 + many, address));
    scene.configure(nothing);
    CHECK(scene.status().of(impressions).rewriting->rows == 0);
    CHECK(scene.portion(nothing) == Rewriting::more);
    CHECK(scene.mixed());
    CHECK(scene.status().of(impressions).rewriting->rows == 50'000);
    CHECK(scene.asked("SELECT count(*) FROM impressions WHERE ip IS NOT NULL") == "2001");
    // What is not cut yet, and what is, are as the API shows them.
    CHECK(scene.differences(streams()[1], nothing) == 0);
    scene.rewrite(nothing);
    CHECK_FALSE(scene.mixed());
    CHECK(scene.occurrences(address) == 0);
    CHECK(scene.occurrences(agent) == 0);
}

TEST_CASE("rewriting: an audit finds no difference while it is at work") {
    Scene scene;
    scene.configure(nothing);
    for (const Stream& stream : streams()) {
        CHECK(scene.differences(stream, nothing) == 0);
    }
    // But a difference in something else is one.
    meddle(scene.path, "UPDATE impression_rows SET destination = 5000 WHERE id = 3");
    CHECK(scene.differences(impressions, nothing) == 1);
}

TEST_CASE("rewriting: if more is kept again, rows stay as they are until they are read again") {
    Scene scene(20, networks);
    CHECK_FALSE(scene.mixed());
    scene.configure(everything);
    CHECK(scene.portion(everything) == Rewriting::none);
    CHECK(scene.mixed());
    CHECK(scene.status().kept.since == noon(700));
    CHECK(scene.status().kept.narrowest == networks);
    CHECK(scene.differences(impressions, everything) == 0);
    CHECK(scene.read(impressions, everything, noon(710)).updated == 20);
    CHECK(scene.asked("SELECT min(ip) FROM impressions") == address);
    CHECK(scene.mixed());
    // Less again: all rows are alike again.
    scene.configure(networks);
    scene.rewrite(networks);
    CHECK_FALSE(scene.mixed());
    // Nobody knows what was not stored.
    scene.configure(nothing);
    scene.rewrite(nothing);
    scene.configure(networks);
    CHECK(scene.mixed());
    CHECK(scene.differences(impressions, networks) == 0);
}

TEST_CASE("rewriting: if more is kept again in the middle, the rest is cut to that") {
    Scene scene;
    scene.configure(nothing);
    scene.configure(networks);
    scene.rewrite(networks);
    CHECK(scene.occurrences(address) == 0);
    CHECK(scene.occurrences(agent) > 0);
    CHECK(scene.asked("SELECT min(ip) FROM impressions") == "198.51.100.0");
    Scene other;
    other.configure(nothing);
    other.configure(everything);
    CHECK(other.portion(everything) == Rewriting::none);
    CHECK(other.asked("SELECT min(ip) FROM impressions") == address);
}

TEST_CASE("privacy: a process with another configuration stores nothing") {
    Scene scene;
    MirrorFile first(options_with(scene.path, everything), noon(600));
    scene.configure(nothing);
    CHECK_THROWS_WITH_AS(
        first.writer(impressions)
            .commit(whole(noon_window(0, 60), decoded(impressions, 20, everything)), noon(600),
                    at(noon(600))),
        doctest::Contains("another process has made it keep ip = \"none\""), OtherPrivacy);
    // Beside a `run`, nobody changes it.
    MirrorOptions options = options_with(scene.path, everything);
    options.may_change_privacy = false;
    MirrorFile second(options, noon(700));
    CHECK_THROWS_WITH_AS(second.writer(impressions).claim_account("34", "Development", noon(700)),
                         doctest::Contains("a `run` at work on it"), OtherPrivacy);
    CHECK(scene.asked("SELECT value FROM mirror WHERE key = 'privacy_ip'") == "none");
}

TEST_CASE("rewriting: an erasure that was begun by an address is finished first") {
    Scene scene;
    {
        MirrorFile file(options_with(scene.path, everything), noon(600));
        ErasureRequest request;
        request.streams = {&impressions};
        ErasureRule rule;
        rule.kind = ErasureRule::Kind::ip;
        rule.address = *read_ip_address(address);
        request.rules = {rule};
        file.writer(impressions).claim_account("34", "Development", noon(600));
        file.eraser().begin(request);
    }
    meddle(scene.path,
           "INSERT INTO mirror VALUES ('impressions', 'rewritten_to', '0');"
           "UPDATE mirror SET value = 'network' WHERE key = 'privacy_ip';"
           "INSERT OR REPLACE INTO mirror VALUES ('', 'privacy_ip', 'network')");
    scene.rewrite(networks);
    CHECK(scene.asked("SELECT count(*) FROM impressions") == "0");
    CHECK(scene.asked("SELECT count(*) FROM erased") != "0");
}

TEST_CASE("rewriting: a reader that is in the way is waited for, and nothing is forgotten") {
    Scene scene;
    scene.configure(nothing);
    {
        SQLite::Database reader(scene.path.string(), SQLite::OPEN_READONLY);
        reader.exec("BEGIN");
        SQLite::Statement count(reader, "SELECT count(*) FROM impression_rows");
        count.executeStep();
        CHECK(scene.portion(nothing) == Rewriting::none);
        CHECK(scene.mixed());
    }
    scene.rewrite(nothing);
    CHECK_FALSE(scene.mixed());
    CHECK(scene.occurrences(address) == 0);
}
