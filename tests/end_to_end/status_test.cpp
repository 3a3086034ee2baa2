// What `status` prints, and which users may run it.

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include <SQLiteCpp/SQLiteCpp.h>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>

#include "tests/end_to_end/scene.hpp"

using namespace mirror;
using namespace mirror::test;

namespace {

boost::json::object json_of(const Run& run) {
    return boost::json::parse(run.out).as_object();
}

}  // namespace

TEST_CASE("status: the file is missing") {
    Scene scene;
    scene.token.clear();
    const Run run = scene.run({"status"});
    CHECK(run.code == 4);
    CHECK(run.err.find("impressions.db") != std::string::npos);
    CHECK(run.out == "");
    CHECK(scene.run({"status", "--json"}).code == 4);
    CHECK_FALSE(std::filesystem::exists(scene.database()));
}

TEST_CASE("status: as JSON") {
    Scene scene;
    populate(scene, 1000);
    REQUIRE(scene.run({"sync"}).code == 0);
    scene.token.clear();
    scene.server.start_over();
    const Run run = scene.run({"status", "--json"});
    REQUIRE(run.code == 0);
    CHECK(run.err == "");
    const boost::json::object status = json_of(run);
    CHECK(status.at("account").at("id") == "34");
    CHECK(status.at("account").at("name") == "Development");
    CHECK(status.at("complete_through") == "2026-11-23T15:59:55Z");
    CHECK(status.at("lag_seconds").is_int64());
    REQUIRE(status.at("streams").as_object().size() == 1);
    const boost::json::value& stream = status.at("streams").at("impressions");
    CHECK(stream.at("complete_from") == "1999-12-31T23:00:00Z");
    CHECK(stream.at("complete_through") == "2026-11-23T15:59:55Z");
    CHECK(stream.at("rows").to_number<int>() == 1000);
    CHECK(stream.at("rejects").to_number<int>() == 0);
    CHECK(stream.at("removed").to_number<int>() == 0);
    CHECK(stream.at("gaps").as_array().empty());
    CHECK(status.at("last_success").is_string());
    CHECK(status.at("last_error").is_null());
    CHECK(status.at("database_bytes").to_number<std::int64_t>() ==
          static_cast<std::int64_t>(std::filesystem::file_size(scene.database())));
    CHECK(status.contains("wal_bytes"));
    CHECK(scene.requests() == 0);
}

TEST_CASE("status: how far behind") {
    Scene scene;
    const Instant machine = std::chrono::floor<Seconds>(std::chrono::system_clock::now());
    scene.server.clock().stand_at(machine - std::chrono::hours(2));
    scene.account.add(row(1, machine - std::chrono::hours(3)));
    REQUIRE(scene.run({"sync"}).code == 0);
    // By the server's clock, of which the file keeps how far it is from this machine's.
    CHECK(scene.run({"status", "--max-lag", "10m"}).code == 0);
    scene.server.clock().advance(std::chrono::hours(2));
    scene.server.set_rule(simulator::rules::always(simulator::faults::error(404, "Gone")));
    REQUIRE(scene.run({"sync"}).code == 1);
    const Run run = scene.run({"status", "--json"});
    CHECK(run.code == 0);
    CHECK(json_of(run).at("last_error").as_string().find("Gone") != std::string::npos);
    const Run behind = scene.run({"status", "--max-lag", "0s"});
    CHECK(behind.code == 5);
    CHECK(behind.err.find("more than --max-lag 0 s") != std::string::npos);
    // What to do about the error above.
    CHECK(scene.run({"status"}).out.find("\nnext          copernica-mirror check") !=
          std::string::npos);
}

TEST_CASE("status: a period that the API's clock has not reached is a mistake") {
    Scene scene;
    populate(scene, 10);
    // This machine is ahead of the simulated server.
    const Run run = scene.run({"backfill", "--from", "0s"});
    CAPTURE(run.err);
    CHECK(run.code == 2);
    CHECK(run.err.find("by the API's clock, it is 2026-11-23") != std::string::npos);
    CHECK(run.out == "");
}

TEST_CASE("status: says by how much the API's count differs") {
    Scene scene;
    populate(scene, 1000);
    const LocalTime early = scene.account.zone().to_local(utc("2001-01-01 00:00:00"));
    // Only the count of everything is wrong.
    scene.server.set_rule(simulator::rules::when(
        [early](const simulator::Request& request) {
            return request.question.limit == 1 && request.question.begin < early;
        },
        simulator::faults::wrong_total(7)));
    const Run run = scene.run({"sync"});
    CAPTURE(run.err);
    CHECK(run.code == 5);
    CHECK(scene.difference() == "");
    CHECK(scene.run({"status"}).out.find("7 more") != std::string::npos);
    scene.server.set_rule({});
    CHECK(scene.complaint(scene.run({"sync"})) == "");
    CHECK(scene.run({"status"}).out.find("7 more") == std::string::npos);
}

TEST_CASE("status: for a reader who may not write, stopped, killed and running") {
    Scene scene;
    populate(scene, 3000);
    REQUIRE(scene.run({"sync"}).code == 0);
    const Run stopped = scene.run_unprivileged({"status", "--json"});
    CAPTURE(stopped.err);
    CHECK(stopped.code == 0);
    CHECK(stopped.out.find("\"rows\":3000") != std::string::npos);

    std::filesystem::permissions(scene.directory(), std::filesystem::perms::owner_all);
    scene.account.add(row(100'000, present() + Seconds(5)));
    scene.server.clock().advance(Seconds(60));
    scene.server.start_over();
    // The count at the end of a tail is never answered: rows are in, and it still runs.
    scene.server.set_rule(simulator::rules::in_a_row(
        3, 1000, simulator::faults::delivery(simulator::Delivery::hang)));
    const auto process = scene.start({"backfill", "--from", "2026-11-23", "--force"});
    REQUIRE(scene.server.wait([](const simulator::Counters& seen) { return seen.requests >= 4; }));
    CHECK(scene.run_unprivileged({"status"}).code == 0);
    process->signal(SIGKILL);
    process->wait();
    const Run killed = scene.run_unprivileged({"status"});
    CAPTURE(killed.err);
    CHECK(killed.code == 0);
}

TEST_CASE("status: for a reader who may not write, after a kill at a log's first bytes") {
    Scene scene;
    populate(scene, 100);
    REQUIRE(scene.run({"sync"}).code == 0);
    const std::string log = scene.database().string() + "-wal";
    REQUIRE(std::filesystem::file_size(log) == 0);
    scene.server.start_over();
    scene.server.set_rule(
        simulator::rules::always(simulator::faults::delivery(simulator::Delivery::hang)));
    const auto process = scene.start({"sync"});
    REQUIRE(scene.server.wait([](const simulator::Counters& seen) { return seen.requests >= 1; }));
    process->signal(SIGKILL);
    process->wait();
    // SQLite begins a log with its header. This one is the header of another log: of a database in
    // which something was written.
    const auto other = scene.directory() / "other.db";
    std::string header(32, '\0');
    {
        SQLite::Database sql(other.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        sql.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (x)");
        std::ifstream(other.string() + "-wal", std::ios::binary).read(header.data(), 32);
    }
    std::fstream(log, std::ios::in | std::ios::out | std::ios::binary) << header;
    const Run killed = scene.run_unprivileged({"status"});
    CAPTURE(killed.err);
    CHECK(killed.code == 0);
    CHECK(killed.out.find("100, 0 rejects") != std::string::npos);
}
