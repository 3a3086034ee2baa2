// Version 4 of the API: whichever token it takes, and whatever becomes of it, the file is exact.

#include <csignal>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/end_to_end/in_parallel.hpp"
#include "tests/end_to_end/scene.hpp"
#include "tests/simulator/jwt.hpp"

using namespace mirror;
using namespace mirror::test;
using simulator::Behaviour;
namespace faults = simulator::faults;
namespace rules = simulator::rules;

namespace {

Behaviour jwt_only() {
    Behaviour behaviour;
    behaviour.version4.takes_api_token = false;
    return behaviour;
}

// All JWTs made before are refused from now on.
void withdraw_tokens(Scene& scene, std::uint64_t number) {
    scene.change_both([number](Behaviour& behaviour) {
        behaviour.authentication.jwt.secret = fmt::format("secret {}", number);
    });
}

// No request had a token in its URL.
std::string leaks(const Scene& scene) {
    for (const simulator::LogEntry& entry : scene.server.log()) {
        if (entry.request.leaked) {
            return "a token in a URL";
        }
    }
    return {};
}

}  // namespace

TEST_CASE("version 4: exact with either token, in every form of the reply") {
    std::vector<Behaviour> all{Behaviour{}};
    for (const auto form : {simulator::TokenForm::bare, simulator::TokenForm::json_string,
                            simulator::TokenForm::token, simulator::TokenForm::access_token,
                            simulator::TokenForm::jwt}) {
        all.push_back(jwt_only());
        all.back().authentication.form = form;
    }
    all.push_back(jwt_only());
    all.back().version4.refusal = 400;
    in_parallel(all, [](const Behaviour& behaviour) {
        Scene scene(behaviour);
        scene.use_version_4();
        populate(scene);
        std::string complaint = scene.complaint(scene.run({"sync"})) + leaks(scene);
        const Run audit = scene.run({"audit"});
        return complaint + (audit.code == 0 ? "" : audit.err);
    });
}

TEST_CASE("version 4: exact where tokens are refused without a word") {
    Behaviour behaviour = jwt_only();
    behaviour.version4.bare_refusals = true;
    behaviour.authentication.jwt.life = Seconds(3600);
    Scene scene(behaviour);
    scene.use_version_4();
    scene.configure("mirror", "poll_interval = \"1s\"\n");
    populate(scene);
    CHECK(scene.complaint(scene.run({"sync"})) == "");
    CHECK(scene.token_service->counters().requests == 1);
    // One that is withdrawn early is replaced as well.
    const auto process = scene.start({"run"});
    const auto polled = [&scene](std::uint64_t more) {
        const std::uint64_t requests = scene.requests() + more;
        return scene.server.wait([requests](const simulator::Counters& counters) {
            return counters.requests >= requests;
        });
    };
    REQUIRE(polled(3));
    withdraw_tokens(scene, 7);
    scene.account.add(row(5'000'000, present() - Seconds(60)));
    REQUIRE(polled(6));
    process->signal(SIGTERM);
    CHECK(process->wait() == 0);
    CHECK(scene.token_service->counters().requests >= 2);
    CHECK(scene.complaint(scene.run({"sync"})) == "");
}

TEST_CASE("version 4: exact while tokens expire in the middle of a first load") {
    for (const unsigned refusal : {401U, 400U}) {
        CAPTURE(refusal);
        Behaviour behaviour = jwt_only();
        behaviour.version4.refusal = refusal;
        behaviour.authentication.jwt.life = Seconds(30);
        Scene scene(behaviour);
        scene.use_version_4();
        populate(scene);
        // Only the server's clock moves: the program cannot foresee it.
        scene.server.set_after([&scene](const simulator::Request& request) {
            if (request.number % 5 == 0) {
                scene.server.clock().advance(Seconds(31));
            }
        });
        CHECK(scene.complaint(scene.run({"sync"})) == "");
        CHECK(scene.token_service->counters().requests > 2);
    }
}

TEST_CASE("version 4: exact when the token is withdrawn before any request of a poll") {
    for (std::uint64_t nth = 1;; ++nth) {
        CAPTURE(nth);
        Scene scene(jwt_only());
        scene.use_version_4();
        populate(scene, 300);
        REQUIRE(scene.complaint(scene.run({"sync"})) == "");
        scene.account.add(row(5'000'000, present() - Seconds(60)));
        scene.server.clock().advance(Seconds(30));
        scene.server.start_over();
        scene.server.set_before(
            [&scene, nth, seen = std::uint64_t{0}](const simulator::Request&) mutable {
                if (++seen == nth) {
                    withdraw_tokens(scene, nth);
                }
            });
        CHECK(scene.complaint(scene.run({"sync"})) == "");
        if (scene.requests() < nth) {
            break;
        }
        REQUIRE(nth < 50);
    }
}

TEST_CASE("version 4: exact while tokens are refused at random") {
    in_parallel(std::vector<std::uint64_t>{1, 2, 3, 4}, [](std::uint64_t seed) {
        Scene scene(seed % 2 == 0 ? jwt_only() : Behaviour{});
        scene.use_version_4();
        populate(scene, 2000);
        scene.server.set_rule(rules::unauthorized_at_random(0.1, seed));
        return scene.complaint(scene.run({"sync"}));
    });
}

TEST_CASE("version 4: a mirror goes on while the token service is down") {
    Scene scene(jwt_only());
    scene.use_version_4();
    populate(scene, 300);
    scene.configure("mirror", "poll_interval = \"1s\"\nsettle = \"1s\"\n");
    scene.server.clock().run_from(present());
    const auto process = scene.start({"run"});
    const auto more = [&](std::uint64_t requests) {
        const std::uint64_t before = scene.requests();
        return scene.server.wait([&](const simulator::Counters& counters) {
            return counters.requests >= before + requests;
        });
    };
    REQUIRE(more(10));
    scene.token_service->stop_listening();
    CHECK(more(5));
    process->signal(SIGTERM);
    CHECK(process->wait() == 0);
    CHECK(scene.difference() == "");
}

TEST_CASE("version 4: a token service that fails is told apart from the API") {
    struct Failure {
        simulator::Fault fault;
        std::string said;
    };
    in_parallel(
        std::vector<Failure>{
            {faults::gateway(503), "the token service does not answer (http"},
            {faults::html_as_ok(), "the token service cannot be used (http"},
            {faults::status(200, ""), "its reply holds no token"},
            {faults::status(200, R"({"hello":"world"})"), "its reply holds no token"},
            {faults::delivery(simulator::Delivery::close_before),
             "the token service does not answer (http"},
        },
        [](const Failure& failure) {
            Scene scene(jwt_only());
            scene.use_version_4();
            scene.configure("mirror", "give_up_after = \"0s\"\n");
            populate(scene, 100);
            scene.token_service->set_rule(rules::call(simulator::Call::token, failure.fault));
            const Run run = scene.run({"sync"});
            std::string complaint = run.code == 1 ? "" : fmt::format("exit code {}", run.code);
            if (run.err.find(failure.said) == std::string::npos) {
                complaint += run.err;
            }
            return complaint;
        });
}

TEST_CASE("version 4: each request has its line at debug, those for tokens, too") {
    struct Answer {
        simulator::Fault fault;
        int code;
        std::string logged;
    };
    const std::vector<Answer> answers{
        {faults::error(503, "busy"), 1, "status 503, "},
        {faults::delivery(simulator::Delivery::close_in_body), 1, "status 200, unreadable after "},
        {faults::delivery(simulator::Delivery::close_before), 1, "connection closed by the server"},
        {simulator::Fault{}, 0, "status 200, "}};
    in_parallel(answers, [](const Answer& answer) {
        Scene scene(jwt_only());
        scene.use_version_4();
        scene.configure("mirror", "give_up_after = \"0s\"\n");
        populate(scene, 1000);
        scene.token_service->set_rule(rules::call(simulator::Call::token, answer.fault));
        const Run run = scene.run({"sync", "--log-level", "debug"});
        const auto lines_with = [&run](const std::string& text) {
            std::uint64_t found = 0;
            for (auto at = run.err.find(text); at != std::string::npos;
                 at = run.err.find(text, at + 1)) {
                ++found;
            }
            return found;
        };
        const std::string service = "POST " + scene.token_service->url("127.0.0.1", "") + ": ";
        const bool agrees = run.code == answer.code &&
                            lines_with(service) == scene.token_service->counters().requests &&
                            lines_with(service + answer.logged) >= 1 &&
                            lines_with("GET ") == scene.requests() && scene.requests() > 0;
        return agrees ? std::string() : answer.logged + ": " + run.err;
    });
}

TEST_CASE("version 4: exact with odd tokens and odd clocks") {
    std::vector<simulator::Jwt> all(6);
    all[0].expiry = simulator::Jwt::Expiry::absent;
    all[1].bytes = 60'000;
    all[2].ahead = std::chrono::hours(1);
    all[3].ahead = -std::chrono::hours(1);
    all[4].life = Seconds(1);
    all[5].life = std::chrono::hours(24 * 365 * 100);
    in_parallel(all, [](const simulator::Jwt& jwt) {
        Behaviour behaviour = jwt_only();
        behaviour.authentication.jwt = jwt;
        Scene scene(behaviour);
        scene.use_version_4();
        populate(scene, 1000);
        return scene.complaint(scene.run({"sync"}));
    });
}

TEST_CASE("version 4: the paths are found, kept in the file, and told") {
    for (const bool ms : {false, true}) {
        CAPTURE(ms);
        Behaviour behaviour;
        behaviour.version4.ms_paths = ms;
        behaviour.version4.draganddrop_paths = !ms;
        Scene scene(behaviour);
        scene.use_version_4();
        scene.configure("mirror", "streams = [\"impressions\", \"clicks\"]\n");
        populate(scene, 300);
        const auto not_found = [&scene] {
            std::uint64_t count = 0;
            for (const simulator::LogEntry& entry : scene.server.log()) {
                count += entry.status == 404 ? 1 : 0;
            }
            return count;
        };
        CHECK(scene.complaint(scene.run({"sync"})) == "");
        CHECK(not_found() == (ms ? 1 : 0));
        scene.server.start_over();
        CHECK(scene.complaint(scene.run({"sync"})) == "");
        CHECK(not_found() == 0);
        const std::string family = ms ? "ms" : "draganddrop";
        const Run status = scene.run({"status", "--json"});
        CHECK(status.out.find("\"api_version\":4,\"api_paths\":\"" + family + "\"") !=
              std::string::npos);
        const Run check = scene.run({"check"});
        CHECK(check.out.find("version 4 of the API") != std::string::npos);
        CHECK(check.out.find("clicks at " + family + "/clicks") != std::string::npos);
    }
}

TEST_CASE("version 4: a file that was made with version 3 goes on, and back again") {
    Scene scene(jwt_only());
    populate(scene, 2000);
    scene.api_url = scene.server.url();  // version 3
    REQUIRE(scene.complaint(scene.run({"sync"})) == "");
    scene.account.add(row(5'000'000, present() - Seconds(60)));
    scene.use_version_4();
    const Run run = scene.run({"sync"});
    CHECK(scene.complaint(run) == "");
    CHECK(run.err.find("a sample of 100 impressions is the same") != std::string::npos);
    CHECK(scene.run({"sync"}).err.find("sample") == std::string::npos);
    CHECK(scene.query("SELECT count(*) FROM impressions WHERE changed_at > first_seen") == "0");
    scene.api_url = scene.server.url();
    CHECK(scene.complaint(scene.run({"sync"})) == "");
}

TEST_CASE("version 4: a file of version 3 that shows other rows there ends with 5, unchanged") {
    Scene scene(jwt_only());
    populate(scene, 2000);
    scene.api_url = scene.server.url();
    REQUIRE(scene.complaint(scene.run({"sync"})) == "");
    scene.use_version_4();
    simulator::Fault other_ids;
    other_ids.page = [](simulator::Page& page) {
        for (std::string& record : page.records) {
            record.replace(record.find("\"ID\":\"") + 6, 1, "9");
        }
    };
    scene.server.set_rule([other_ids](const simulator::Request& request) {
        return request.version == 4 ? std::optional(other_ids) : std::nullopt;
    });
    const Run run = scene.run({"sync"});
    CHECK(run.code == 5);
    CHECK(run.err.find("version 4 of the API does not show what the file has from version 3") !=
          std::string::npos);
    CHECK(scene.difference() == "");
    scene.server.set_rule({});
    CHECK(scene.complaint(scene.run({"sync"})) == "");
}

TEST_CASE("version 4: tokens that are useless end with 1, a wrong token with 3") {
    Behaviour behaviour = jwt_only();
    behaviour.authentication.jwt.expiry = simulator::Jwt::Expiry::past;
    {
        Scene scene(behaviour);
        scene.use_version_4();
        scene.configure("mirror", "give_up_after = \"0s\"\n");
        const Run run = scene.run({"sync"});
        CHECK(run.code == 1);
        CHECK(run.err.find("have expired when they come") != std::string::npos);
    }
    behaviour.authentication.jwt = {};
    behaviour.authentication.jwt.bytes = 70'000;
    {
        Scene scene(behaviour);
        scene.use_version_4();
        scene.configure("mirror", "give_up_after = \"0s\"\n");
        const Run run = scene.run({"sync"});
        CHECK(run.code == 1);
        CHECK(run.err.find("too large") != std::string::npos);
    }
    Scene scene(jwt_only());
    scene.use_version_4();
    scene.token = "another-token-than-the-right-one";
    const Run run = scene.run({"sync"});
    CHECK(run.code == 3);
    CHECK(run.err.find("the token service refuses the token") != std::string::npos);
}
