// `/metrics` and `/healthz` of a real `run`, and the file of commands that end.

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/time/clock.hpp"
#include "storage/sqlite/file_lock.hpp"
#include "tests/end_to_end/notify_socket.hpp"
#include "tests/end_to_end/scene.hpp"
#include "tests/simulator/fault.hpp"
#include "tests/support/raw_client.hpp"

using namespace mirror;
using namespace mirror::test;

namespace {

bool holds(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// A `run` with metrics on a free port, and a socket for its notifications.
class Service {
  public:
    explicit Service(Scene& scene) : socket((scene.directory() / "notify").string()) {
        scene.configure("metrics", "listen = \"127.0.0.1:0\"\n");
        scene.environment["NOTIFY_SOCKET"] = (scene.directory() / "notify").string();
        process = scene.start({"run"});
        REQUIRE(socket.waits_for("READY=1"));
        const std::string said = process->err();
        const std::string before = "metrics are at http://127.0.0.1:";
        const auto place = said.find(before);
        REQUIRE(place != std::string::npos);
        port = static_cast<std::uint16_t>(std::stoi(said.substr(place + before.size())));
    }

    RawReply get(const std::string& path) const { return RawClient(port).get(path); }

    NotifySocket socket;
    std::unique_ptr<Process> process;
    std::uint16_t port = 0;
};

// A value of the text format; "none" if it is not there.
std::string value(const std::string& text, const std::string& series) {
    const auto place = ("\n" + text).find("\n" + series + " ");
    if (place == std::string::npos) {
        return "none";
    }
    const auto begin = place + series.size() + 1;
    return text.substr(begin, text.find('\n', begin) - begin);
}

// What promtool says of it; empty if it finds nothing, or is not installed.
std::string lint(const std::string& text, const std::filesystem::path& directory) {
    if (std::system("command -v promtool >/dev/null") != 0) {
        MESSAGE("promtool is not installed");
        return {};
    }
    std::ofstream(directory / "metrics") << text;
    const std::string command =
        fmt::format("promtool check metrics <'{0}/metrics' >'{0}/lint' 2>&1", directory.string());
    const int code = std::system(command.c_str());
    const std::string said = bytes_of(directory / "lint");
    return code == 0 && said.empty() ? "" : fmt::format("{} {}", code, said);
}

// A scene whose runs leave their metrics in a directory that holds nothing else.
class FileScene : public Scene {
  public:
    FileScene() { std::filesystem::create_directory(path().parent_path()); }

    std::filesystem::path path() const { return directory() / "textfile" / "mirror.prom"; }

    // Runs it, and looks at what holds for every outcome.
    Run run_with_file(std::vector<std::string> arguments) {
        arguments.insert(arguments.end(), {"--metrics-file", path().string()});
        const Instant before = SystemClock().utc();
        const Run run = this->run(arguments);
        CHECK(of("last_run_exit_code") == std::to_string(run.code));
        const auto ended = std::stoll(of("last_run_timestamp_seconds"));
        CHECK(ended >= before.time_since_epoch().count());
        CHECK(ended <= SystemClock().utc().time_since_epoch().count());
        struct stat status {};
        REQUIRE(::stat(path().c_str(), &status) == 0);
        CHECK((status.st_mode & 07777) == 0644);
        CHECK(files() == 1);
        CHECK_FALSE(holds(text(), token));
        CHECK_FALSE(holds(text(), "Development"));
        CHECK(lint(text(), directory()) == "");
        return run;
    }

    std::string text() const { return bytes_of(path()); }
    std::string of(const std::string& metric) const {
        return value(text(), "copernica_mirror_" + metric);
    }
    std::ptrdiff_t files() const {
        return std::distance(std::filesystem::directory_iterator(path().parent_path()), {});
    }
};

}  // namespace

TEST_CASE("status page: the report of the last thirty days, counted once a minute") {
    Scene scene;
    populate(scene, 500);
    Service service(scene);
    REQUIRE(service.socket.waits_for("STATUS=complete through 2026-11-23 16:59:55"));
    // For those who do not want it to change while they read: it waits for its counts.
    const RawReply still = service.get("/still");
    CHECK(still.status() == 200);
    CHECK(still.header("Refresh") == std::nullopt);
    const RawReply page = service.get("/");
    CHECK(page.status() == 200);
    CHECK(page.header("Content-Type") == "text/html; charset=utf-8");
    CHECK(holds(page.header("Content-Security-Policy").value_or(""), "default-src 'none'"));
    CHECK(page.header("X-Content-Type-Options") == "nosniff");
    CHECK(page.body.starts_with("<!DOCTYPE html>"));
    CHECK(page.body.ends_with("</html>\n"));
    CHECK(page.header("Refresh") == "60");
    CHECK_FALSE(holds(page.body, "<script"));
    // The same counts, whatever happened since.
    const std::string since = "as of ";
    const auto counted = [&](const RawReply& reply) {
        const auto at = reply.body.find(since);
        REQUIRE(at != std::string::npos);
        return reply.body.substr(at, since.size() + 19);
    };
    CHECK(counted(page) == counted(still));
    scene.meddle(
        "INSERT INTO rejects (stream, received_at, \"begin\", \"end\", reason, record) "
        "VALUES ('impressions', 1, 1, 2, 'a new reason', '{}')");
    const RawReply again = service.get("/");
    CHECK(counted(again) == counted(page));
    CHECK_FALSE(holds(again.body, "a new reason"));
    CHECK(holds(again.body, "Everything could be stored."));
    // It has no other name.
    CHECK(service.get("/index.html").status() == 404);
    RawClient poster(service.port);
    poster.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    CHECK(poster.receive().status() == 405);
    RawClient header(service.port);
    header.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
    const RawReply head = header.receive();
    CHECK(head.status() == 200);
    CHECK(head.body == "");
    // What is read at each look may have changed meanwhile.
    CHECK(std::stoul(head.header("Content-Length").value_or("0")) > page.body.size() / 2);
}

TEST_CASE("metrics: of a run that follows") {
    Scene scene;
    populate(scene);
    Service service(scene);
    REQUIRE(service.socket.waits_for("STATUS=complete through 2026-11-23 16:59:55"));
    // The past is filled beside the first poll; nothing is due before the next.
    RawReply reply = service.get("/metrics");
    for (int look = 0; look < 20'000; ++look) {
        if (value(reply.body, "copernica_mirror_gaps{stream=\"impressions\"}") == "0" &&
            value(reply.body, "copernica_mirror_requests_total{outcome=\"ok\"}") ==
                std::to_string(scene.requests())) {
            break;
        }
        reply = service.get("/metrics");
    }
    CHECK(reply.status() == 200);
    CHECK(reply.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
    const std::string& text = reply.body;
    CHECK(value(text,
                "copernica_mirror_complete_through_timestamp_seconds{stream=\"impressions\"}") ==
          std::to_string((present() - Seconds(5)).time_since_epoch().count()));
    CHECK(value(text, "copernica_mirror_rows{stream=\"impressions\"}") ==
          scene.query("SELECT count(*) FROM impressions"));
    CHECK(value(text, "copernica_mirror_rows_written_total{change=\"inserted\"}") ==
          value(text, "copernica_mirror_rows{stream=\"impressions\"}"));
    CHECK(value(text, "copernica_mirror_last_success_timestamp_seconds{stream=\"impressions\"}") ==
          scene.query("SELECT value FROM mirror WHERE key = 'last_success'"));
    CHECK(value(text, "copernica_mirror_requests_total{outcome=\"ok\"}") ==
          std::to_string(scene.requests()));
    CHECK(value(text, "copernica_mirror_request_duration_seconds_count") ==
          std::to_string(scene.requests()));
    CHECK(value(text, "copernica_mirror_gaps{stream=\"impressions\"}") == "0");
    CHECK(value(text, "copernica_mirror_database_bytes") ==
          std::to_string(std::filesystem::file_size(scene.database())));
    // The last word about the first poll may still be written between a scrape and a look.
    bool log_agrees = false;
    for (int look = 0; look < 1000 && !log_agrees; ++look) {
        const std::string again = service.get("/metrics").body;
        log_agrees = value(again, "copernica_mirror_wal_bytes") ==
                     std::to_string(std::filesystem::file_size(scene.database().string() + "-wal"));
    }
    CHECK(log_agrees);
    CHECK_FALSE(holds(text, scene.token));
    CHECK(lint(text, scene.directory()) == "");

    const RawReply health = service.get("/healthz");
    CHECK(health.status() == 200);
    CHECK(health.body == "ok\n");
    CHECK(service.get("/livez").status() == 200);
    CHECK(value(text, "copernica_mirror_token_refused") == "0");
    CHECK(std::stod(value(text, "copernica_mirror_free_bytes")) > 0);
    CHECK(std::stod(value(text, "process_resident_memory_bytes")) > 1e6);
    CHECK(service.get("/nothing").status() == 404);

    // A reload changes the rate at once.
    CHECK(value(service.get("/metrics").body, "copernica_mirror_request_rate") == "100000");
    scene.reconfigure("api", "requests_per_second = 100000", "requests_per_second = 7");
    const std::size_t before = service.socket.messages().size();
    service.process->signal(SIGHUP);
    REQUIRE(service.socket.waits_for("READY=1", before));
    CHECK(value(service.get("/metrics").body, "copernica_mirror_request_rate") == "7");

    service.process->signal(SIGTERM);
    CHECK(service.process->wait() == 0);
    CHECK_THROWS(service.get("/healthz"));
}

TEST_CASE("metrics: trouble is seen, and its reason") {
    Scene scene;
    populate(scene);
    SUBCASE("a refused token") {
        scene.token = "another-token";
        Service service(scene);
        REQUIRE(service.socket.waits_for("Invalid access token"));
        const RawReply health = service.get("/healthz");
        CHECK(health.status() == 503);
        CHECK(holds(health.body, "Invalid access token"));
        CHECK_FALSE(holds(health.body, scene.token));
        CHECK(value(service.get("/metrics").body,
                    "copernica_mirror_requests_total{outcome=\"token_refused\"}") == "1");
        // What was refused before the first scrape shows, too, and no restart would help.
        CHECK(value(service.get("/metrics").body, "copernica_mirror_token_refused") == "1");
        CHECK(service.get("/livez").status() == 200);
        service.process->signal(SIGTERM);
        CHECK(service.process->wait() == 0);
    }
    SUBCASE("an outage") {
        scene.server.set_rule(simulator::rules::always(simulator::faults::gateway(503)));
        Service service(scene);
        REQUIRE(service.socket.waits_for("503"));
        const RawReply health = service.get("/healthz");
        CHECK(health.status() == 503);
        CHECK(holds(health.body, "503"));
        const std::string text = service.get("/metrics").body;
        CHECK(std::stoi(value(text, "copernica_mirror_requests_total{outcome=\"failed\"}")) >= 3);
        CHECK(std::stoi(value(text, "copernica_mirror_retries_total")) >= 2);
        // A client that sends nothing does not keep it from ending.
        const RawClient silent(service.port);
        service.process->signal(SIGTERM);
        CHECK(service.process->wait() == 0);
    }
    SUBCASE("the file was taken away") {
        Service service(scene);
        bool well = false;
        for (int look = 0; look < 20'000 && !well; ++look) {
            well = service.get("/healthz").status() == 200;
        }
        REQUIRE(well);
        // A process that writes to a file that is gone ends: a write that is still to come waits
        // for the lock, before it looks at the file.
        storage::FileLock lock(scene.database());
        REQUIRE(lock.lock(storage::FileLock::Part::write, std::chrono::seconds(60)));
        std::filesystem::rename(scene.database(), scene.directory() / "elsewhere.db");
        const RawReply reply = service.get("/metrics");
        CHECK(reply.status() == 500);
        CHECK(holds(reply.body, "impressions.db"));
        lock.unlock(storage::FileLock::Part::write);
        service.process->signal(SIGTERM);
        service.process->wait();
    }
}

TEST_CASE("metrics: off by default, a taken port is 2, other machines are warned of") {
    Scene scene;
    populate(scene);
    Service service(scene);
    Scene other;
    populate(other);
    other.configure("metrics", fmt::format("listen = \"127.0.0.1:{}\"\n", service.port));
    const Run taken = other.run({"run"});
    CHECK(taken.code == 2);
    CHECK(holds(taken.err, "[metrics] listen"));
    CHECK(holds(taken.err, "in use"));
    CHECK(holds(taken.err, "another") == false);
    CHECK(holds(taken.err, "choose"));
    // Only `run` serves them.
    CHECK(other.run({"sync"}).code == 0);
    service.process->signal(SIGTERM);
    CHECK(service.process->wait() == 0);
    CHECK_FALSE(holds(service.process->err(), "other machines"));

    Scene open;
    open.configure("metrics", "listen = \"0.0.0.0:0\"\n");
    open.environment["NOTIFY_SOCKET"] = (open.directory() / "notify").string();
    const NotifySocket socket(open.environment["NOTIFY_SOCKET"]);
    const auto process = open.start({"run"});
    REQUIRE(socket.waits_for("READY=1"));
    CHECK(holds(process->err(), "other machines"));
    process->signal(SIGTERM);
    CHECK(process->wait() == 0);

    Scene wrong;
    wrong.configure("metrics", "listen = \"localhost\"\n");
    const Run refused = wrong.run({"run"});
    CHECK(refused.code == 2);
    CHECK(holds(refused.err, "config.toml:"));
    CHECK(holds(refused.err, "127.0.0.1:9743"));
}

TEST_CASE("metrics file: what sync, backfill and audit did, and what the file holds") {
    FileScene scene;
    populate(scene);
    REQUIRE(scene.run_with_file({"sync"}).code == 0);
    const std::string rows = scene.query("SELECT count(*) FROM impressions");
    CHECK(scene.of("rows{stream=\"impressions\"}") == rows);
    CHECK(scene.of("rows_written_total{change=\"inserted\"}") == rows);
    CHECK(scene.of("requests_total{outcome=\"ok\"}") == std::to_string(scene.requests()));
    CHECK(scene.of("complete_through_timestamp_seconds{stream=\"impressions\"}") ==
          std::to_string((present() - Seconds(5)).time_since_epoch().count()));
    CHECK(scene.of("last_success_timestamp_seconds{stream=\"impressions\"}") ==
          scene.query("SELECT value FROM mirror WHERE key = 'last_success'"));
    CHECK(scene.of("gaps{stream=\"impressions\"}") == "0");
    CHECK(scene.of("database_bytes") ==
          std::to_string(std::filesystem::file_size(scene.database())));

    // Counters are those of the one run.
    scene.server.start_over();
    REQUIRE(scene.run_with_file({"backfill", "--from", "2026-11-01", "--force"}).code == 0);
    CHECK(scene.of("rows_written_total{change=\"inserted\"}") == "0");
    CHECK(scene.of("requests_total{outcome=\"ok\"}") == std::to_string(scene.requests()));

    REQUIRE(scene.run_with_file({"audit"}).code == 0);
    scene.meddle("DELETE FROM impression_rows WHERE id = (SELECT max(id) FROM impression_rows)");
    CHECK(scene.run_with_file({"audit"}).code == 5);
}

TEST_CASE("metrics file: also of a run that fails, with what can be known") {
    FileScene scene;
    populate(scene, 500);
    SUBCASE("a refused token") {
        REQUIRE(scene.run({"sync"}).code == 0);
        scene.token = "withdrawn-token";
        CHECK(scene.run_with_file({"sync"}).code == 3);
        CHECK(scene.of("requests_total{outcome=\"token_refused\"}") == "1");
        CHECK(scene.of("rows{stream=\"impressions\"}") ==
              scene.query("SELECT count(*) FROM impressions"));
        CHECK(scene.of("last_success_timestamp_seconds{stream=\"impressions\"}") ==
              scene.query("SELECT value FROM mirror WHERE key = 'last_success'"));
    }
    SUBCASE("the API is down, and nothing is there yet") {
        scene.configure("mirror", "give_up_after = \"0s\"\n");
        scene.server.stop_listening();
        CHECK(scene.run_with_file({"sync"}).code == 1);
        CHECK(std::stoi(scene.of("requests_total{outcome=\"failed\"}")) >= 1);
        CHECK(scene.of("rows{stream=\"impressions\"}") == "0");
        CHECK(scene.of("complete_through_timestamp_seconds{stream=\"impressions\"}") == "none");
        CHECK(scene.of("last_success_timestamp_seconds{stream=\"impressions\"}") == "none");
    }
    SUBCASE("the database is not ours") {
        std::ofstream(scene.database()) << std::string(5000, 'x');
        const Run run = scene.run_with_file({"sync"});
        CHECK(run.code == 4);
        CHECK(scene.of("rows{stream=\"impressions\"}") == "none");
        CHECK(scene.of("database_bytes") == "none");
        // One line, about the database.
        CHECK(std::count(run.err.begin(), run.err.end(), '\n') == 1);
    }
    SUBCASE("there is nothing to audit") {
        CHECK(scene.run_with_file({"audit"}).code == 4);
        CHECK(scene.of("rows{stream=\"impressions\"}") == "none");
    }
    SUBCASE("the configuration is wrong") {
        scene.configure("mirror", "overlapp = \"2m\"\n");
        CHECK(scene.run_with_file({"sync"}).code == 2);
        CHECK(scene.of("rows{stream=\"impressions\"}") == "none");
        CHECK(scene.requests() == 0);
    }
    SUBCASE("it is stopped") {
        scene.server.set_rule(
            simulator::rules::always(simulator::faults::delivery(simulator::Delivery::hang)));
        const auto process = scene.start({"sync", "--metrics-file", scene.path().string()});
        REQUIRE(scene.server.wait(
            [](const simulator::Counters& counters) { return counters.requests >= 1; }));
        process->signal(SIGTERM);
        CHECK(process->wait() == 143);
        CHECK(scene.of("last_run_exit_code") == "143");
    }
}

TEST_CASE("metrics file: where it cannot be made is 2 before anything is done") {
    FileScene scene;
    populate(scene, 100);
    const std::string absent = (scene.directory() / "absent" / "mirror.prom").string();
    for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
             {"sync", "--metrics-file", absent},
             {"backfill", "--from", "2026-11-01", "--metrics-file", absent},
             {"audit", "--metrics-file", scene.directory().string()}}) {
        const Run run = scene.run(command);
        CAPTURE(run.err);
        CHECK(run.code == 2);
        CHECK(holds(run.err, "--metrics-file"));
        CHECK(scene.requests() == 0);
        CHECK_FALSE(std::filesystem::exists(scene.database()));
    }
    const Run follows = scene.run({"run", "--metrics-file", scene.path().string()});
    CHECK(follows.code == 2);
    CHECK(holds(follows.err, "[metrics] listen"));
    CHECK(scene.files() == 0);
    // A directory that is the user's to look into only.
    const Run unprivileged = scene.run_unprivileged(
        {"sync", "--metrics-file", (scene.directory() / "mirror.prom").string()});
    CAPTURE(unprivileged.err);
    CHECK(unprivileged.code == 2);
    CHECK(holds(unprivileged.err, "Permission denied"));
    CHECK(scene.requests() == 0);
}

TEST_CASE("metrics file: where it cannot be replaced any more, the run keeps its exit code") {
    for (const bool good : {true, false}) {
        CAPTURE(good);
        FileScene scene;
        populate(scene, 500);
        scene.token = good ? scene.token : "withdrawn-token";
        scene.server.set_before([&](const simulator::Request& request) {
            if (request.number == 1) {
                std::filesystem::create_directory(scene.path());
            }
        });
        const Run run = scene.run({"sync", "--metrics-file", scene.path().string()});
        CAPTURE(run.err);
        CHECK(run.code == (good ? 0 : 3));
        CHECK(holds(run.err, "--metrics-file"));
        CHECK(holds(run.err, scene.path().string()));
        CHECK(scene.files() == 1);  // the directory in its place, and no temporary file
    }
}

TEST_CASE("metrics file: replaces only metrics") {
    Scene scene;
    populate(scene, 10);
    const auto metrics = scene.directory() / "mirror.prom";
    const auto letter = scene.directory() / "letter.txt";
    std::ofstream(letter) << "Dear reader";
    for (int times = 0; times < 2; ++times) {
        CHECK(scene.run({"sync", "--metrics-file", metrics.string()}).code == 0);
    }
    const std::string database = scene.database().string();
    for (const std::string& other :
         {database, database + "-wal", database + ".lock", letter.string()}) {
        CAPTURE(other);
        const Run refused = scene.run({"sync", "--metrics-file", other});
        CHECK(refused.code == 2);
        CHECK(holds(refused.err, "name another file"));
    }
    CHECK(std::filesystem::file_size(letter) == 11);
    CHECK(scene.run({"sync"}).code == 0);
    CHECK(scene.difference() == "");
}
