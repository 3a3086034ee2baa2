// A canary for a token, through every kind of failure: it is sent to the API, and appears nowhere
// else.

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/resource.h>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/end_to_end/canary.hpp"
#include "tests/end_to_end/in_parallel.hpp"
#include "tests/end_to_end/peak_memory.hpp"
#include "tests/end_to_end/scene.hpp"
#include "tests/simulator/certificates.hpp"
#include "tests/support/fault_table.hpp"

using namespace mirror;
using namespace mirror::test;
using simulator::Fault;
namespace faults = simulator::faults;
namespace rules = simulator::rules;

namespace {

// As a program might encode it that put the URL that it was asked into its answer.
std::vector<std::string> echoes() {
    const std::string upper = first_half + "%20%2F%2B%26%2541%23%3D%3F~%C3%A9%22" + second_half;
    const std::string lower = first_half + "+%2f%2b%26%2541%23%3d%3f%7e%c3%a9%22" + second_half;
    return {canary, upper, lower};
}

std::vector<Failure> failures_of_the_api() {
    std::vector<Failure> all;
    for (const std::string& echo : echoes()) {
        const std::string with_url = "no: /v3/identity?access_token=" + echo + "&x=1";
        all.push_back({"token refused, 400", always(faults::error(400, with_url)), 3});
        all.push_back({"token refused, 403", always(faults::error(403, with_url)), 3});
        all.push_back({"no such call", page(faults::error(404, with_url))});
        all.push_back({"a request refused", page(faults::error(400, with_url))});
        all.push_back({"busy", page(faults::error(503, with_url))});
        all.push_back({"busy, in HTML", page(faults::status(503, "<p>" + with_url + "</p>"))});
        all.push_back({"text for JSON", page(faults::status(200, with_url, "text/plain"))});
        all.push_back({"broken JSON", page(faults::status(200, "{\"" + echo + "\": tru" + echo,
                                                          "application/json"))});
        all.push_back({"an account's name",
                       [with_url](Scene& scene) {
                           scene.server.change([&](simulator::Behaviour& behaviour) {
                               behaviour.identity.name = with_url;
                               behaviour.identity.company = with_url;
                           });
                       },
                       0});
    }
    const std::string encoded = echoes()[1];
    all.push_back({"an account's ID",
                   [](Scene& scene) {
                       scene.server.change(
                           [](simulator::Behaviour& behaviour) { behaviour.identity.id = canary; });
                   },
                   0});
    for (const std::string& to :
         {"https://elsewhere.invalid/v3?access_token=" + encoded,
          "https://" + encoded + ".invalid/" + encoded, "ftp://127.0.0.1/" + encoded,
          "/v3/" + encoded, "//" + encoded, encoded, "https://" + encoded + "@127.0.0.1/"}) {
        all.push_back({"redirected to " + to, always(faults::redirect(to))});
    }
    all.push_back({"a status line", page(raw("HTTP/1.1 " + encoded + "\r\n\r\n"))});
    all.push_back(
        {"a reason", page(raw("HTTP/1.1 500 " + encoded + "\r\nContent-Length: 0\r\n\r\n"))});
    for (const char* const field : {"Content-Encoding", "Content-Length", "Transfer-Encoding",
                                    "Retry-After", "Date", "Location", "Content-Type"}) {
        all.push_back({field, page(raw("HTTP/1.1 200 OK\r\n" + std::string(field) + ": " + encoded +
                                       "\r\n\r\n" + encoded))});
        all.push_back({field, page(raw("HTTP/1.1 302 Found\r\n" + std::string(field) + ": " +
                                       encoded + "\r\nContent-Length: 0\r\n\r\n"))});
    }
    all.push_back({"cut off", page(faults::delivery(simulator::Delivery::close_in_body))});
    all.push_back({"closed", page(faults::delivery(simulator::Delivery::close_before))});
    all.push_back({"nobody listens", [](Scene& scene) { scene.server.stop_listening(); }});
    all.push_back(
        {"no such host", [](Scene& scene) { scene.api_url = "https://copernica.invalid/v3"; }});
    all.push_back({"no TLS", [](Scene& scene) { scene.api_url.replace(0, 4, "https"); }});
    return all;
}

std::vector<Failure> records_with_the_token() {
    std::vector<Failure> all;
    for (std::string echo : echoes()) {
        for (std::size_t at = 0; (at = echo.find('"', at)) != std::string::npos; at += 2) {
            echo.insert(at, 1, '\\');
        }
        const std::string url = "\"https://api.invalid/v3/x?access_token=" + echo + "\"";
        all.push_back({"a field of every record", records("{", "{\"self\":" + url + ","), 0});
        all.push_back({"nested", records("{", "{\"a\":[{\"b\":{" + url + ":" + url + "}}],"), 0});
        all.push_back({"a known field", records("\"useragent\":\"", "\"useragent\":\"" + echo), 0});
        all.push_back({"a field's name", records("{", "{" + url + ":1,"), 0});
        // One record in each reply, that cannot be a row; a few are kept.
        const auto spoil = [](const std::string& record) {
            return [record](Scene& scene) {
                Fault fault;
                fault.page = [record](simulator::Page& replied) {
                    if (!replied.records.empty()) {
                        replied.records.front() = record;
                    }
                };
                scene.server.set_rule(rules::always(fault));
            };
        };
        // The same in every window: one to the file, many to the API, which may be told by 5.
        all.push_back({"a reject", spoil(url), -1});
        all.push_back({"a reject's ID", spoil("{\"ID\":" + url + "}"), -1});
        all.push_back({"a reject's timestamp",
                       spoil("{\"ID\":\"987654321\",\"timestamp\":\"" + echo + "\"}"), -1});
    }
    return all;
}

}  // namespace

TEST_CASE("secrets: failures of the API and of the way to it") {
    in_parallel(failures_of_the_api(), play);
}

TEST_CASE("secrets: an API that puts the token into its records") {
    in_parallel(records_with_the_token(), play);
}

TEST_CASE("secrets: failures of TLS") {
    const TemporaryDirectory directory;
    const auto certificates = simulator::make_certificates(directory.path());
    std::vector<Failure> all;
    for (const simulator::Tls& tls :
         {certificates.wrong_host, certificates.expired, certificates.not_yet_valid,
          certificates.self_signed, certificates.unknown_authority}) {
        Failure failure{tls.certificate.filename().string(), [&](Scene& scene) {
                            scene.configure(
                                "api", "ca_file = \"" + certificates.authority.string() + "\"\n");
                        }};
        failure.server.tls = tls;
        all.push_back(failure);
    }
    in_parallel(all, play);
}

TEST_CASE("secrets: failures of the database, of the configuration, of usage") {
    const auto file = [](const std::string& bytes) {
        return [bytes](Scene& scene) { std::ofstream(scene.database()) << bytes; };
    };
    const auto configured = [](const char* table, const char* line) {
        return [=](Scene& scene) { scene.configure(table, std::string(line) + "\n"); };
    };
    const auto token_file = [](const std::string& bytes) {
        return [bytes](Scene& scene) {
            scene.token.clear();
            std::ofstream(scene.directory() / "token") << bytes;
        };
    };
    const std::vector<std::string> with_file{"sync", "--token-file", "token"};
    in_parallel(
        std::vector<Failure>{
            {"not a database", file("a letter to my aunt"), 4},
            {"a directory",
             [](Scene& scene) { std::filesystem::create_directory(scene.database()); }, 4},
            {"no directory", [](Scene&) {}, 4, {"sync", "--database", "none/impressions.db"}},
            {"a table that is missing",
             [](Scene& scene) {
                 scene.run({"sync"});
                 scene.meddle(
                     "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = "
                     "'impression_rows'");
             },
             4},
            {"an unknown key", configured("api", "tokens = 1"), 2},
            {"no TOML", configured("api", "= ="), 2},
            {"no CAs",
             [](Scene& scene) {
                 scene.api_url.replace(0, 4, "https");
                 scene.configure("api", "ca_file = \"none.pem\"\n");
             },
             2},
            {"an unknown option", [](Scene&) {}, 2, {"sync", "--nothing"}},
            {"two lines", token_file(canary + "\n" + canary + "\n"), 2, with_file},
            {"a huge file", token_file(std::string(100'000, 'x') + canary), 2, with_file},
            {"an audit", [](Scene&) {}, 4, {"audit"}},
            {"all is well", token_file(canary + "\n"), 0, with_file},
        },
        play);
}

TEST_CASE("secrets: a crash leaves no core file, and says nothing") {
    // As far as the system lets processes leave one at all.
    rlimit before{};
    getrlimit(RLIMIT_CORE, &before);
    const rlimit most{before.rlim_max, before.rlim_max};
    setrlimit(RLIMIT_CORE, &most);
    for (const int signal : {SIGABRT, SIGSEGV, SIGQUIT}) {
        CAPTURE(signal);
        FaultClass fault_class("secrets", "a crash");
        fault_class.begin();
        Scene scene(with_canary());
        scene.token = canary;
        populate(scene, 200);
        scene.server.set_rule(rules::always(faults::delivery(simulator::Delivery::hang)));
        Looks looks;
        const auto process = scene.start({"sync", "--log-level", "trace"});
        REQUIRE(
            scene.server.wait([](const simulator::Counters& seen) { return seen.requests > 1; }));
        looks.look(process->id());
        process->signal(signal);
        process->wait();
        std::string complaint = leak_in("standard output", process->out()) +
                                leak_in("the log", process->err()) +
                                leak_in("what /proc shows", looks.seen());
        for (const auto& entry : std::filesystem::directory_iterator(scene.directory())) {
            const std::string name = entry.path().filename().string();
            complaint += leak_in(name, bytes_of(entry.path()));
            if (memory_is_ours && name.starts_with("core")) {
                complaint += "\nthere is a core file";
            }
        }
        CHECK(complaint == "");
        if (complaint.empty()) {
            fault_class.passed();
        }
    }
    setrlimit(RLIMIT_CORE, &before);
}

TEST_CASE("secrets: a token with odd characters arrives as it is") {
    for (const std::string& token :
         {canary, std::string("a b"), std::string("a+b"), std::string("100%"), std::string("a&b=c"),
          std::string("a#b?c"), std::string("caf\xc3\xa9 \xf0\x9f\x98\x80"), std::string("%41%2B"),
          std::string("/../x;y"), std::string("\"'\\")}) {
        CAPTURE(token);
        FaultClass fault_class("secrets", "a token with odd characters");
        fault_class.begin();
        simulator::Behaviour behaviour;
        behaviour.token = token;
        Scene scene(behaviour);
        populate(scene, 50);
        scene.token.clear();
        std::ofstream(scene.directory() / "token") << token << "\r\n";
        const std::string complaint = scene.complaint(scene.run({"sync", "--token-file", "token"}));
        CHECK(complaint == "");
        if (complaint.empty()) {
            fault_class.passed();
        }
    }
}

TEST_CASE("secrets: a token file that others may read draws a warning") {
    using std::filesystem::perms;
    for (const auto& [mode, warned] : {std::pair{perms(0644), true},
                                       {perms(0602), true},
                                       {perms(0640), false},
                                       {perms(0600), false}}) {
        Scene scene;
        populate(scene, 50);
        const auto token = scene.directory() / "token";
        std::ofstream(token) << scene.token;
        scene.token.clear();
        std::filesystem::permissions(token, mode);
        const Run run = scene.run({"sync", "--token-file", token.string()});
        CAPTURE(run.err);
        CHECK(run.code == 0);
        CHECK((run.err.find("chmod 600") != std::string::npos) == warned);
    }
}
