// What a person must put right: exit code, message, and that nothing else was touched.

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include "tests/end_to_end/scene.hpp"
#include "tests/support/fault_table.hpp"

using namespace mirror;
using namespace mirror::test;

namespace {

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

void write(const std::filesystem::path& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary) << bytes;
}

// The bytes of the database and of its log.
// A log of zeros is empty: they are padding.
std::string file_bytes(const Scene& scene) {
    std::string log = bytes_of(scene.database().string() + "-wal");
    if (log.find_first_not_of('\0') == std::string::npos) {
        log.clear();
    }
    return bytes_of(scene.database()) + log;
}

}  // namespace

TEST_CASE("errors: a refused token is exit 3 after one request, with the API's message") {
    Scene scene;
    populate(scene, 100);
    scene.token = "withdrawn-token";
    const Run run = scene.run({"sync", "--log-level", "trace"});
    CAPTURE(run.err);
    CHECK(run.code == 3);
    CHECK(contains(run.err, "Invalid access token"));
    CHECK(contains(run.err, "COPERNICA_ACCESS_TOKEN"));
    CHECK(scene.requests() == 1);
    CHECK_FALSE(contains(run.out + run.err, "withdrawn-token"));
}

TEST_CASE("errors: 401 and 403 refuse a token, too") {
    for (const unsigned status : {401U, 403U}) {
        CAPTURE(status);
        Scene scene;
        populate(scene, 100);
        scene.server.set_rule(simulator::rules::identity(
            simulator::faults::error(status, "This token may not do that")));
        const Run run = scene.run({"sync"});
        CAPTURE(run.err);
        CHECK(run.code == 3);
        CHECK(contains(run.err, "This token may not do that"));
        CHECK(scene.requests() == 1);
    }
}

TEST_CASE("errors: a token that is withdrawn in the middle") {
    Scene scene;
    scene.configure("api", "page_size = 100\n");
    populate(scene, 4000);
    scene.server.set_before([&](const simulator::Request& request) {
        if (request.number == 12) {
            scene.server.set_rule([](const simulator::Request&) {
                return std::optional(simulator::faults::invalid_token());
            });
        }
    });
    const Run run = scene.run({"sync"});
    CAPTURE(run.err);
    CHECK(run.code == 3);
    CHECK(contains(run.err, "Invalid access token"));
    // Requests under way on each connection, and those for `identity`.
    CHECK(scene.requests() <= 12 + 2 * 4);
    scene.server.set_before({});
    scene.server.set_rule({});
    CHECK(scene.complaint(scene.run({"sync"})) == "");
}

TEST_CASE("errors: another account's token leaves the file byte for byte") {
    Scene scene;
    populate(scene, 500);
    REQUIRE(scene.run({"sync"}).code == 0);
    scene.server.change([](simulator::Behaviour& behaviour) {
        behaviour.identity.id = "35";
        behaviour.identity.name = "Somebody else";
    });
    scene.server.clock().advance(std::chrono::hours(1));
    scene.account.add(row(100'000, present() + Seconds(5)));
    scene.server.start_over();
    const std::string before = file_bytes(scene);
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"sync"},
          std::vector<std::string>{"backfill", "--from", "2026-11-01", "--force"}}) {
        const Run run = scene.run(command);
        CAPTURE(run.err);
        CHECK(run.code == 3);
        CHECK(contains(run.err, "account 34"));
        CHECK(contains(run.err, "Somebody else"));
        CHECK(file_bytes(scene) == before);
    }
    CHECK(scene.requests() <= 2);
}

TEST_CASE(
    "errors: wrong configuration is exit 2 with file, line and key, before any file is made") {
    struct Case {
        const char* table;
        const char* line;
        const char* names;
    };
    const std::vector<Case> cases{
        {"mirror", "overlapp = \"2m\"", "overlapp"},
        {"mirror", "overlap = 120", "overlap"},
        {"mirror", "overlap = \"-2m\"", "overlap"},
        {"mirror", "settle = \"soon\"", "settle"},
        {"mirror", "start = \"2016-13-01\"", "start"},
        {"mirror", "indexes = [\"ip\"]", "indexes"},
        {"mirror", "indexes = \"mailing\"", "indexes"},
        {"api", "time_zone = \"Mars/Olympus\"", "time_zone"},
        {"log", "level = \"loud\"", "level"},
        {"log", "format = 3", "format"},
        {"metrics", "listen = 9743", "listen"},
        {"metric", "listen = \"\"", "metric"},
    };
    for (const Case& one : cases) {
        CAPTURE(std::string(one.line));
        Scene scene;
        scene.configure(one.table, std::string(one.line) + "\n");
        const Run run = scene.run({"sync"});
        CAPTURE(run.err);
        CHECK(run.code == 2);
        // [api] and requests_per_second come first; a table of its own begins in the third line.
        const std::string table = one.table;
        const bool in_third_line = table == "metric" || table == "api";
        CHECK(contains(run.err, fmt::format("config.toml:{}:", in_third_line ? 3 : 4)));
        CHECK(contains(run.err, one.names));
        CHECK_FALSE(std::filesystem::exists(scene.database()));
        CHECK(scene.requests() == 0);
    }
}

TEST_CASE("errors: other wrong configuration and usage are exit 2") {
    // requests_per_second comes before these lines.
    const char* const third = "config.toml:3: ";
    const struct {
        const char* line;
        const char* says;
    } rows[] = {{"page_size = 0", third},
                {"page_size = 1001", third},
                {"connections = \"4\"", third},
                {"time_zone = \"Mars/Olympus\"", third},
                {"ca_file = \"absent.pem\"", third},
                {"token_file = \"absent\"", "the token file "},
                {"url = 7", third},
                {"page_size 7", third},
                {"proxy = \"http://ann@[::1]\"\nproxy_password_file = \"absent\"",
                 "config.toml:4: [api] proxy_password_file: "}};
    for (const auto& row : rows) {
        CAPTURE(std::string(row.line));
        Scene scene;
        scene.configure("api", std::string(row.line) + "\n");
        scene.api_url.replace(0, 4, "https");  // ca_file and proxies are for HTTPS only
        const Run run = scene.run({"sync"});
        CAPTURE(run.err);
        CHECK(run.code == 2);
        CHECK(contains(run.err, row.says));
        CHECK_FALSE(std::filesystem::exists(scene.database()));
        CHECK(scene.requests() == 0);
    }
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {},
             {"synk"},
             {"sync", "--nothing"},
             {"sync", "sync2"},
             {"backfill"},
             {"backfill", "--from", "the day before"},
             {"backfill", "--from", "2026-02-30"},
             {"backfill", "--from", "2026-01-02", "--to", "2026-01-02"},
             {"backfill", "--from", "2026-01-03", "--to", "2026-01-02"},
             {"status", "--max-lag", "soon"},
             {"sync", "--log-level", "loud"},
             {"sync", "--api-url", "ftp://127.0.0.1/"},
             {"sync", "--config", "absent.toml"}}) {
        CAPTURE(fmt::format("{}", words.empty() ? "nothing" : words.back()));
        Scene scene;
        const Run run = scene.run(words);
        CAPTURE(run.err);
        CHECK(run.code == 2);
        CHECK_FALSE(std::filesystem::exists(scene.database()));
        CHECK(scene.requests() == 0);
    }
}

TEST_CASE("errors: no token is exit 2, and says where to put one") {
    Scene scene;
    scene.token.clear();
    const Run run = scene.run({"sync"});
    CHECK(run.code == 2);
    CHECK(contains(run.err, "token_file"));
    CHECK_FALSE(std::filesystem::exists(scene.database()));
    CHECK(scene.requests() == 0);
}

TEST_CASE("errors: a token file is preferred, and read without its line end") {
    Scene scene;
    populate(scene, 100);
    write(scene.directory() / "token", scene.token + "\n");
    scene.token = "wrong";
    CHECK(scene.complaint(
              scene.run({"sync", "--token-file", (scene.directory() / "token").string()})) == "");
}

TEST_CASE("errors: another zone than the file's is exit 2 and untouched") {
    Scene scene;
    populate(scene, 100);
    REQUIRE(scene.run({"sync"}).code == 0);
    const std::string before = file_bytes(scene);
    scene.configure("api", "time_zone = \"Europe/London\"\n");
    const Run run = scene.run({"sync"});
    CHECK(run.code == 2);
    CHECK(contains(run.err, "Europe/Amsterdam"));
    CHECK(file_bytes(scene) == before);
}

TEST_CASE("errors: a server that cannot be reached is exit 1") {
    for (const char* const give_up_after : {"0s", "1s"}) {
        CAPTURE(std::string(give_up_after));
        Scene scene;
        scene.configure("mirror", fmt::format("give_up_after = \"{}\"\n", give_up_after));
        populate(scene, 100);
        scene.server.stop_listening();
        const Run run = scene.run({"sync"});
        CAPTURE(run.err);
        CHECK(run.code == 1);
        CHECK(contains(run.err, "127.0.0.1"));
        scene.server.listen_again();
        CHECK(scene.complaint(scene.run({"sync"})) == "");
    }
    Scene scene;
    scene.configure("mirror", "give_up_after = \"0s\"\n");
    scene.api_url = "https://copernica.invalid/v3";
    const Run run = scene.run({"sync"});
    CAPTURE(run.err);
    CHECK(run.code == 1);
    CHECK(contains(run.err, "copernica.invalid"));
}

TEST_CASE("errors: a server that comes back while it is tried") {
    Scene scene;
    populate(scene, 3000);
    scene.server.set_before([&](const simulator::Request& request) {
        if (request.number == 8) {
            scene.server.drop_connections();
        }
    });
    CHECK(scene.complaint(scene.run({"sync"})) == "");
}

TEST_CASE("errors: files that are not ours are exit 4 and untouched") {
    const auto expect_refusal = [](Scene& scene, const std::string& words) {
        FaultClass table("database", "a file that is not ours");
        table.begin();
        const std::string before = file_bytes(scene);
        const Run run = scene.run({"sync"});
        CAPTURE(run.err);
        REQUIRE(run.code == 4);
        REQUIRE(contains(run.err, "impressions.db"));
        REQUIRE(contains(run.err, words));
        REQUIRE(file_bytes(scene) == before);
        const Run status = scene.run({"status"});
        CAPTURE(status.err);
        REQUIRE(status.code == 4);
        REQUIRE(file_bytes(scene) == before);
        REQUIRE(scene.requests() == 0);
        table.passed();
    };
    SUBCASE("text") {
        Scene scene;
        write(scene.database(), "This is a letter to my aunt.\n" + std::string(5000, 'x'));
        expect_refusal(scene, "not an SQLite file");
    }
    SUBCASE("a short one") {
        Scene scene;
        write(scene.database(), "x");
        expect_refusal(scene, "not an SQLite file");
    }
    SUBCASE("somebody else's database") {
        Scene scene;
        {
            SQLite::Database other(scene.database().string(),
                                   SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
            other.exec("CREATE TABLE recipes (name TEXT)");
        }
        expect_refusal(scene, "not one of this program");
    }
    SUBCASE("a newer one") {
        Scene scene;
        populate(scene, 100);
        REQUIRE(scene.run({"sync"}).code == 0);
        {
            SQLite::Database newer(scene.database().string(), SQLite::OPEN_READWRITE);
            newer.exec("PRAGMA user_version = 1000");
        }
        scene.server.start_over();
        expect_refusal(scene, "newer");
    }
    SUBCASE("a directory") {
        Scene scene;
        std::filesystem::create_directory(scene.database());
        const Run run = scene.run({"sync"});
        CHECK(run.code == 4);
        CHECK(scene.run({"status"}).code == 4);
    }
    SUBCASE("a directory that is not there") {
        Scene scene;
        const Run run =
            scene.run({"sync", "--database", (scene.directory() / "no" / "x.db").string()});
        CHECK(run.code == 4);
        CHECK(scene.requests() == 0);
    }
}

TEST_CASE("errors: a damaged file is exit 4, and not written to") {
    FaultClass table("database", "a damaged file");
    table.begin();
    Scene scene;
    populate(scene, 3000);
    REQUIRE(scene.run({"sync"}).code == 0);
    {
        SQLite::Database file(scene.database().string(), SQLite::OPEN_READWRITE);
        file.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    }
    // All pages but the first.
    std::string bytes = bytes_of(scene.database());
    REQUIRE(bytes.size() > 100'000);
    std::fill(bytes.begin() + 4096, bytes.end(), '\xa5');
    write(scene.database(), bytes);
    const Run run = scene.run({"sync"});
    CAPTURE(run.err);
    REQUIRE(run.code == 4);
    REQUIRE(contains(run.err, "impressions.db"));
    REQUIRE(bytes_of(scene.database()) == bytes);
    REQUIRE(scene.run({"status"}).code == 4);
    table.passed();
}

TEST_CASE("errors: a directory that may not be written to is exit 4") {
    FaultClass table("database", "a directory that may not be written to");
    table.begin();
    Scene scene;
    populate(scene, 100);
    const Run run = scene.run_unprivileged({"sync"});
    CAPTURE(run.err);
    REQUIRE(run.code == 4);
    REQUIRE(contains(run.err, "impressions.db"));
    REQUIRE(scene.requests() == 0);
    REQUIRE_FALSE(std::filesystem::exists(scene.database()));
    table.passed();
}

TEST_CASE("errors: a file that may be read, but not written, is exit 4 and untouched") {
    if (geteuid() != 0) {
        return;  // the owner of a file can always get at it
    }
    FaultClass table("database", "a file that may not be written");
    table.begin();
    Scene scene;
    populate(scene, 100);
    REQUIRE(scene.run({"sync"}).code == 0);
    scene.server.start_over();
    const std::string before = file_bytes(scene);
    const Run run = scene.run_unprivileged({"sync"});
    CAPTURE(run.err);
    REQUIRE(run.code == 4);
    REQUIRE(file_bytes(scene) == before);
    REQUIRE(scene.requests() == 0);
    table.passed();
}

TEST_CASE("errors: a database that stays locked is given up, untouched") {
    FaultClass table("database", "somebody else holds the lock for long");
    table.begin();
    Scene scene;
    populate(scene, 100);
    REQUIRE(scene.run({"sync"}).code == 0);
    scene.account.add(row(100'000, present() + Seconds(5)));
    scene.server.clock().advance(Seconds(60));
    const std::string before = file_bytes(scene);
    SQLite::Database other(scene.database().string(), SQLite::OPEN_READWRITE);
    other.exec("BEGIN EXCLUSIVE");
    const Run run = scene.run({"sync"});
    other.exec("ROLLBACK");
    CAPTURE(run.err);
    REQUIRE(run.code == 4);
    REQUIRE(run.err.find("locked") != std::string::npos);
    REQUIRE(file_bytes(scene) == before);
    table.passed();
}

TEST_CASE("errors: a database that is locked for a while is waited for") {
    FaultClass table("database", "somebody else holds the lock for a while");
    table.begin();
    Scene scene;
    populate(scene, 500);
    REQUIRE(scene.run({"sync"}).code == 0);
    scene.account.add(row(100'000, present() + Seconds(5)));
    scene.server.clock().advance(Seconds(60));
    SQLite::Database other(scene.database().string(), SQLite::OPEN_READWRITE);
    other.exec("BEGIN EXCLUSIVE");
    scene.server.start_over();
    const auto process = scene.start({"sync"});
    // It has requested `identity`, and waits for the lock to write.
    REQUIRE(scene.server.wait([](const simulator::Counters& seen) { return seen.requests >= 1; }));
    other.exec("ROLLBACK");
    REQUIRE(process->wait() == 0);
    REQUIRE(scene.difference() == "");
    table.passed();
}
