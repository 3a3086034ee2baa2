// `check`: finds what is wrong, says what to do, and leaves everything as it was.

#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>

#include "daemon/check/check_command.hpp"
#include "tests/end_to_end/scene.hpp"
#include "tests/simulator/certificates.hpp"

using namespace mirror;
using namespace mirror::test;

namespace {

// Of one run: the lines by their names.
struct Checked {
    Run run;
    std::map<std::string, boost::json::object> lines;
    std::vector<std::string> names;

    std::string result(const std::string& name) const {
        return std::string(lines.at(name).at("result").as_string());
    }
    std::string detail(const std::string& name) const {
        return std::string(lines.at(name).at("detail").as_string());
    }
    std::string failed() const {
        std::string all;
        for (const std::string& name : names) {
            if (result(name) == "FAIL") {
                all += (all.empty() ? "" : " ") + name;
            }
        }
        return all;
    }
};

Checked checked(const Run& run) {
    Checked made;
    made.run = run;
    const auto json = boost::json::parse(run.out).as_object();
    CHECK(json.at("exit_code") == run.code);
    for (const auto& line : json.at("checks").as_array()) {
        made.names.emplace_back(line.at("name").as_string());
        made.lines[made.names.back()] = line.as_object();
    }
    CHECK(made.names == daemon::check_names());
    return made;
}

Checked check(Scene& scene, std::vector<std::string> options = {}) {
    options.insert(options.begin(), {"check", "--json"});
    Run run = scene.run(options);
    CHECK((run.out + run.err).find(scene.token) == std::string::npos);
    return checked(run);
}

// Names and bytes of all files but -shm, which every reader's locks go through.
std::map<std::string, std::string> files(const Scene& scene) {
    std::map<std::string, std::string> all;
    for (const auto& file : std::filesystem::directory_iterator(scene.directory())) {
        const std::string name = file.path().filename().string();
        all[name] = name.ends_with("-shm") ? "" : bytes_of(file.path());
    }
    return all;
}

simulator::ServerOptions serving(const simulator::Tls& tls) {
    simulator::ServerOptions options;
    options.tls = tls;
    return options;
}

}  // namespace

TEST_CASE("check: all is well, and nothing is changed") {
    Scene scene;
    populate(scene, 1000);
    REQUIRE(scene.run({"sync"}).code == 0);
    const auto before = files(scene);
    scene.server.start_over();
    const Checked all = check(scene);
    CAPTURE(all.run.out);
    CHECK(all.run.code == 0);
    CHECK(all.run.err == "");
    CHECK(all.failed() == "");
    for (const char* const name : {"configuration", "token", "resolve", "connect", "tls",
                                   "identity", "time_zone", "database", "readers", "lock",
                                   "integrity", "account", "file_zone", "last_error", "rejects"}) {
        CAPTURE(name);
        CHECK(all.result(name) == "OK");
    }
    // The simulated present is another than this machine's.
    CHECK(all.result("clock") == "WARN");
    CHECK(all.detail("run").find("no `run`") != std::string::npos);
    CHECK(all.detail("requests").find("API calls") != std::string::npos);
    CHECK(scene.requests() == 3);
    CHECK(files(scene) == before);
    const Run text = scene.run({"check"});
    CHECK(text.code == 0);
    CHECK(text.out.rfind("OK   configuration", 0) == 0);
    CHECK(text.out.find('\x1b') == std::string::npos);
    CHECK(files(scene) == before);
}

TEST_CASE("check: a token without access to /consumption passes") {
    simulator::Behaviour behaviour;
    behaviour.refused[simulator::Call::consumption] = 403;
    Scene scene(behaviour);
    populate(scene, 10);
    const Checked all = check(scene);
    CHECK(all.run.code == 0);
    CHECK(all.result("requests") == "OK");
    CHECK(all.detail("requests").find("may not read") != std::string::npos);
    CHECK(all.result("time_zone") == "OK");
}

TEST_CASE("check: before the first run it warns about the database, and does not create it") {
    Scene scene;
    populate(scene, 10);
    const auto before = files(scene);
    const Checked all = check(scene);
    CHECK(all.run.code == 0);
    CHECK(all.result("database") == "WARN");
    CHECK(files(scene) == before);
}

TEST_CASE("check: a place that `sync` could not make a file in") {
    Scene scene;
    populate(scene, 10);
    std::filesystem::create_symlink("nowhere.db", scene.directory() / "link.db");
    for (const auto& place : std::map<std::string, std::string>{
             {"link.db", "a link to nowhere.db"},
             {"missing/opens.db", "mkdir -p"},
             {"~/opens.db", "write the whole path"},
         }) {
        const auto& path = place.first;
        const auto& words = place.second;
        CAPTURE(path);
        const Checked all = check(scene, {"-d", (scene.directory() / path).string()});
        CHECK(all.failed() == "database");
        CHECK(all.run.code == 4);
        CHECK(all.detail("database").find(words) != std::string::npos);
    }
}

TEST_CASE("check: the way to the API, broken at each place") {
    const TemporaryDirectory directory;
    const auto certificates = simulator::make_certificates(directory.path());
    {
        Scene scene;
        scene.api_url = "https://mirror.invalid/v3";
        const Checked all = check(scene);
        CHECK(all.run.code == 1);
        CHECK(all.failed() == "resolve");
    }
    {
        Scene scene;
        scene.server.stop_listening();
        const Checked all = check(scene);
        CHECK(all.run.code == 1);
        CHECK(all.failed() == "connect");
        CHECK(all.result("resolve") == "OK");
    }
    for (const auto& wrong : std::vector<std::pair<std::string, simulator::Tls>>{
             {"expired", certificates.expired},
             {"mismatch", certificates.wrong_host},
             {"self-signed", certificates.self_signed}}) {
        const auto& words = wrong.first;
        const auto& tls = wrong.second;
        CAPTURE(words);
        Scene scene({}, serving(tls));
        scene.configure("api", "ca_file = \"" + certificates.authority.string() + "\"\n");
        const Checked all = check(scene);
        CHECK(all.run.code == 1);
        CHECK(all.failed() == "tls");
        CHECK(all.result("connect") == "OK");
        CAPTURE(all.detail("tls"));
        CHECK(all.detail("tls").find(words) != std::string::npos);
        CHECK(scene.server.counters().requests_with_token == 0);
    }
    {
        Scene scene({}, serving(certificates.good));
        scene.configure("api", "ca_file = \"" + certificates.authority.string() + "\"\n");
        scene.server.clock().stand_at(present());
        CHECK(check(scene).result("tls") == "OK");
    }
    {
        Scene scene;
        populate(scene, 10);
        scene.token = "another-token";
        const Checked all = check(scene);
        CHECK(all.run.code == 3);
        CHECK(all.failed() == "identity");
    }
    {
        Scene scene;
        populate(scene, 10);
        scene.server.set_rule(simulator::rules::always(simulator::faults::gateway(503)));
        const Checked all = check(scene);
        CHECK(all.run.code == 1);
        CHECK(all.failed() == "time_zone");
        CHECK(all.detail("time_zone").find("503") != std::string::npos);
    }
}

TEST_CASE("check: configuration and token") {
    Scene scene;
    populate(scene, 10);
    {
        const std::string token = scene.token;
        scene.token.clear();
        const Run run = scene.run({"check", "--json"});
        scene.token = token;
        const Checked all = checked(run);
        CHECK(all.run.code == 2);
        CHECK(all.failed() == "token");
        CHECK(all.result("connect") == "OK");
    }
    {
        const auto file = scene.directory() / "token";
        std::ofstream(file) << scene.token << "\n";
        std::filesystem::permissions(file, static_cast<std::filesystem::perms>(0604));
        const Checked all = check(scene, {"--token-file", file.string()});
        CHECK(all.run.code == 0);
        CHECK(all.result("token") == "WARN");
        CHECK(all.detail("token").find("0604") != std::string::npos);
    }
    REQUIRE(scene.run({"sync"}).code == 0);
    scene.configure("mirror", "no_such_key = 1\n");
    {
        const Checked all = check(scene, {"--database", scene.database().string()});
        CHECK(all.run.code == 2);
        CHECK(all.failed() == "configuration");
        CHECK(all.detail("configuration").find("no_such_key") != std::string::npos);
        CHECK(all.result("integrity") == "OK");
        CHECK(all.result("identity") == "WARN");
    }
    CHECK(check(scene).result("integrity") == "WARN");
}

TEST_CASE("check: what the file does not agree with") {
    Scene scene;
    populate(scene, 500);
    REQUIRE(scene.run({"sync"}).code == 0);
    scene.server.change([](simulator::Behaviour& behaviour) { behaviour.identity.id = "35"; });
    {
        const Checked all = check(scene);
        CHECK(all.run.code == 3);
        CHECK(all.failed() == "account");
    }
    scene.server.change([](simulator::Behaviour& behaviour) { behaviour.identity.id = "34"; });
    scene.configure("api", "time_zone = \"Europe/Lisbon\"\n");
    {
        const Checked all = check(scene);
        CHECK(all.run.code == 2);
        CHECK(all.failed() == "file_zone");
    }
    {
        // Rows of the last minute, seen from a zone that lies behind.
        scene.account.add(row(100'000, present() - Seconds(1)));
        const Checked all = check(scene);
        CHECK(all.failed() == "time_zone file_zone");
        CHECK(all.run.code == 2);
    }
}

TEST_CASE("check: a damaged file, a foreign one, a missing -shm") {
    Scene scene;
    populate(scene, 3000);
    REQUIRE(scene.run({"sync"}).code == 0);
    const std::string whole = bytes_of(scene.database());
    std::filesystem::remove(scene.database().string() + "-shm");
    {
        const auto before = files(scene);
        const Checked all = check(scene);
        CHECK(all.run.code == 0);
        CHECK(all.result("readers") == "WARN");
        CHECK(all.result("integrity") == "WARN");
        CHECK(files(scene) == before);
    }
    scene.server.clock().advance(Seconds(60));
    REQUIRE(scene.run({"sync"}).code == 0);
    CHECK(check(scene).result("readers") == "OK");
    {
        // Beyond the schema's page, all over the tables.
        std::fstream file(scene.database(), std::ios::binary | std::ios::in | std::ios::out);
        for (std::size_t at = 3 * 4096; at + 64 < whole.size(); at += 4096) {
            file.seekp(static_cast<std::streamoff>(at));
            file << std::string(64, '\xa5');
        }
    }
    {
        const Checked all = check(scene);
        CAPTURE(all.run.out);
        CHECK(all.run.code == 4);
        CHECK(all.result("integrity") == "FAIL");
        CHECK(all.result("identity") == "OK");
    }
    std::ofstream(scene.database(), std::ios::binary | std::ios::trunc) << "Dear diary\n";
    {
        const Checked all = check(scene);
        CHECK(all.run.code == 4);
        CHECK(all.failed() == "database");
        CHECK(bytes_of(scene.database()) == "Dear diary\n");
    }
}

TEST_CASE("check: a file of a newer version") {
    Scene scene;
    populate(scene, 100);
    REQUIRE(scene.run({"sync"}).code == 0);
    scene.meddle("PRAGMA user_version = 999");
    const Checked all = check(scene);
    CHECK(all.run.code == 4);
    CHECK(all.failed() == "database");
    for (const char* name : {"permissions", "free_space", "integrity", "completeness"}) {
        CHECK(all.detail(name) == "not checked: this program cannot use the file");
    }
}

TEST_CASE("check: somebody else's SQLite file") {
    Scene scene;
    populate(scene, 100);
    {
        SQLite::Database other(scene.database().string(),
                               SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        other.exec("CREATE TABLE invoices (id INTEGER)");
    }
    const auto before = files(scene);
    const Checked all = check(scene);
    CAPTURE(all.run.out);
    CHECK(all.run.code == 4);
    CHECK(all.failed() == "database");
    CHECK(all.run.out.find("not one of this program") != std::string::npos);
    CHECK(files(scene) == before);
}

TEST_CASE("check: beside a run, and for a user who may only read") {
    Scene scene;
    populate(scene, 500);
    scene.configure("mirror", "poll_interval = \"1s\"\n");
    const auto process = scene.start({"run"});
    REQUIRE(scene.server.wait([](const simulator::Counters& seen) { return seen.requests >= 5; }));
    const Checked all = check(scene);
    CHECK(all.run.code == 0);
    CHECK(all.detail("run").find("a `run` keeps") != std::string::npos);
    process->signal(SIGTERM);
    CHECK(process->wait() == 0);
    const Checked reader = checked(scene.run_unprivileged({"check", "--json"}));
    CAPTURE(reader.run.out);
    CHECK(reader.run.code == 0);
    CHECK(reader.result("integrity") == "OK");
}

TEST_CASE("check: after a kill, what is in the log stays there") {
    Scene scene;
    populate(scene, 500);
    scene.configure("mirror", "poll_interval = \"1s\"\n");
    const auto process = scene.start({"run"});
    REQUIRE(scene.server.wait([](const simulator::Counters& seen) { return seen.requests >= 15; }));
    process->signal(SIGKILL);
    process->wait();
    const auto before = files(scene);
    REQUIRE(before.at("impressions.db-wal").size() > 0);
    const Checked all = check(scene);
    CHECK(all.run.code == 0);
    CHECK(all.result("integrity") == "OK");
    CHECK(all.detail("run").find("no `run`") != std::string::npos);
    CHECK(files(scene) == before);
    scene.server.clock().advance(Seconds(60));
    CHECK(scene.complaint(scene.run({"sync"})) == "");
}

TEST_CASE("check: nothing that the API says steers a terminal") {
    Scene scene;
    populate(scene, 10);
    scene.server.change([](simulator::Behaviour& behaviour) {
        behaviour.identity.name =
            "Evil \x1b]0;title\x07\xc2\x9b"
            "2J\nOK   fake";
    });
    for (const auto& options : {std::vector<std::string>{"check"}, {"check", "--json"}}) {
        const Run run = scene.run(options);
        CHECK(run.out.find("Evil") != std::string::npos);
        CHECK(run.out.find('\x1b') == std::string::npos);
        CHECK(run.out.find('\x07') == std::string::npos);
        CHECK(run.out.find("\xc2\x9b") == std::string::npos);
        CHECK(run.out.find("\nOK   fake") == std::string::npos);
    }
}

TEST_CASE("check: a configuration that everybody may change") {
    Scene scene;
    populate(scene, 10);
    std::filesystem::permissions(scene.directory() / "config.toml",
                                 static_cast<std::filesystem::perms>(0666));
    const Checked all = check(scene);
    CHECK(all.run.code == 2);
    CHECK(all.failed() == "configuration");
    CHECK(all.detail("configuration").find("mode 0666") != std::string::npos);
    // Root has more to lose than one token.
    scene.server.start_over();
    const Run run = scene.run({"sync"});
    CHECK(run.code == (geteuid() == 0 ? 2 : 0));
    CHECK(run.err.find("to which server the token goes") != std::string::npos);
    CHECK((scene.requests() == 0) == (geteuid() == 0));
    // What sends no token works.
    CHECK(scene.run({"status"}).code == (geteuid() == 0 ? 4 : 0));
}
