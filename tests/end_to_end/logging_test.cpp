// The log of the real program: to the journal, as JSON, and with an API that sends malicious texts.

#include <csignal>
#include <sstream>
#include <string>
#include <vector>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>

#include "tests/end_to_end/scene.hpp"
#include "tests/paths.hpp"

using namespace mirror;
using namespace mirror::test;

namespace {

std::vector<std::string> lines(const std::string& text) {
    std::vector<std::string> all;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        all.push_back(line);
    }
    return all;
}

// The program's `sync` under a shell that sets JOURNAL_STREAM to what `stream` prints.
Run run_with_stream(Scene& scene, const std::string& stream, const std::string& redirection = "") {
    ProcessOptions options;
    options.arguments = {
        "-c",
        "JOURNAL_STREAM=$(" + stream + "); export JOURNAL_STREAM; exec \"$@\" " + redirection,
        "sh",
        program_path,
        "--config",
        (scene.directory() / "config.toml").string(),
        "--api-url",
        scene.api_url,
        "sync"};
    options.environment["COPERNICA_ACCESS_TOKEN"] = scene.token;
    options.directory = scene.directory();
    Process process("/bin/sh", options);
    Run run;
    run.code = process.wait();
    run.out = process.out();
    run.err = process.err();
    return run;
}

const std::string evil =
    "no \x1b]0;x\x07 <0>\n<0>emergency \xc2\x9b"
    "2J \xe2\x80\xae";

bool has_evil(const std::string& text) {
    for (const char* const bad : {"\x1b", "\x07", "\n<0>", "\xc2\x9b", "\xe2\x80\xae"}) {
        if (text.find(bad) != std::string::npos) {
            return true;
        }
    }
    return false;
}

}  // namespace

TEST_CASE("logging: priorities where the journal reads standard error, and nowhere else") {
    Scene scene;
    populate(scene, 10);
    scene.server.set_rule(simulator::rules::always(simulator::faults::error(404, "Gone")));
    const std::string standard_error = "stat -L -c %d:%i /proc/self/fd/2";
    {
        const Run run = run_with_stream(scene, standard_error);
        CHECK(run.code == 1);
        REQUIRE_FALSE(lines(run.err).empty());
        for (const std::string& line : lines(run.err)) {
            CAPTURE(line);
            REQUIRE(line.size() > 3);
            CHECK((line[0] == '<' && line[1] >= '3' && line[1] <= '7' && line[2] == '>'));
        }
        CHECK(run.err.find("<3>") != std::string::npos);
    }
    // It was the journal's once, and is a file now; it is another one's; it is nonsense.
    for (const auto& start : {std::pair<std::string, std::string>{standard_error, "2>elsewhere"},
                              {"stat -L -c %d:%i /", ""},
                              {"echo 1", ""},
                              {"echo", ""}}) {
        const auto& stream = start.first;
        const auto& redirection = start.second;
        CAPTURE(stream);
        const Run run = run_with_stream(scene, stream, redirection);
        const std::string text =
            redirection.empty() ? run.err : bytes_of(scene.directory() / "elsewhere");
        REQUIRE_FALSE(lines(text).empty());
        for (const std::string& line : lines(text)) {
            CAPTURE(line);
            CHECK(line.substr(0, 2) == "20");
        }
    }
}

TEST_CASE("logging: as JSON, from the first line on") {
    Scene scene;
    populate(scene, 10);
    scene.server.set_rule(simulator::rules::always(simulator::faults::error(404, evil)));
    scene.configure("log", "level = \"trace\"\n");
    const auto check = [&](const Run& run) {
        REQUIRE_FALSE(lines(run.err).empty());
        for (const std::string& line : lines(run.err)) {
            CAPTURE(line);
            const auto object = boost::json::parse(line).as_object();
            CHECK(object.size() == 3);
            CHECK(object.at("time").is_string());
            CHECK(object.at("level").is_string());
            CHECK(object.at("message").is_string());
            CHECK_FALSE(has_evil(std::string(object.at("message").as_string())));
        }
        CHECK_FALSE(has_evil(run.err));
    };
    check(scene.run({"sync", "--log-format", "json"}));
    // The configuration itself is wrong.
    scene.configure("mirror", "no_such_key = 1\n");
    const Run wrong = scene.run({"sync", "--log-format", "json"});
    CHECK(wrong.code == 2);
    check(wrong);
}

TEST_CASE("logging: what the API says reaches nobody unescaped") {
    for (const int status : {400, 401, 404, 503}) {
        CAPTURE(status);
        Scene scene;
        populate(scene, 10);
        scene.configure("mirror", "give_up_after = \"0s\"\n");
        scene.server.set_rule(simulator::rules::always(
            simulator::faults::error(static_cast<unsigned>(status), evil)));
        const Run run = scene.run({"sync", "--log-level", "trace"});
        CHECK(run.code != 0);
        CHECK(run.err.find("emergency") != std::string::npos);
        CHECK_FALSE(has_evil(run.err));
        for (const auto& arguments :
             {std::vector<std::string>{"status"}, {"status", "--json"}, {"check"}}) {
            const Run shown = scene.run(arguments);
            CHECK_FALSE(has_evil(shown.out + shown.err));
        }
    }
}

TEST_CASE("logging: nor do redirects, headers, an account's name, or what is rejected") {
    Scene scene;
    populate(scene, 10);
    scene.configure("mirror", "give_up_after = \"0s\"\n");
    scene.server.change([](simulator::Behaviour& behaviour) { behaviour.identity.name = evil; });
    simulator::Row odd = row(77, present() - Seconds(7200));
    odd.useragent = evil;
    scene.account.add(odd);
    const Run whole = scene.run({"sync", "--log-level", "trace"});
    CHECK(whole.code == 0);
    CHECK_FALSE(has_evil(whole.out + whole.err));
    for (const auto& arguments : {std::vector<std::string>{"status"},
                                  {"status", "--json"},
                                  {"audit"},
                                  {"audit", "--json"},
                                  {"check"},
                                  {"check", "--json"}}) {
        CAPTURE(arguments.back());
        const Run shown = scene.run(arguments);
        CHECK_FALSE(has_evil(shown.out + shown.err));
    }
    // Another account's token: both names are told.
    scene.server.change([](simulator::Behaviour& behaviour) { behaviour.identity.id = "35"; });
    const Run other = scene.run({"sync"});
    CHECK(other.code == 3);
    CHECK_FALSE(has_evil(other.err));
    scene.server.change([](simulator::Behaviour& behaviour) { behaviour.identity.id = "34"; });
    for (const auto& fault : {simulator::faults::redirect("https://evil.example\xc2\x9b"
                                                          "2J/\xe2\x80\xae"),
                              simulator::faults::status(200, evil, "text/html"),
                              simulator::faults::status(503, evil)}) {
        scene.server.set_rule(simulator::rules::always(fault));
        const Run run = scene.run({"sync", "--log-level", "trace"});
        CHECK(run.code == 1);
        CHECK_FALSE(has_evil(run.err));
    }
}
