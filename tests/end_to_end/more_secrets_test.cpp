// Canaries for what version 4 and proxies have: tokens that are made, and passwords.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "tests/end_to_end/canary.hpp"
#include "tests/end_to_end/in_parallel.hpp"
#include "tests/simulator/certificates.hpp"
#include "tests/simulator/proxy.hpp"

using namespace mirror;
using namespace mirror::test;
using simulator::Fault;
namespace faults = simulator::faults;
namespace rules = simulator::rules;

TEST_CASE("secrets: version 4, its API and its token service") {
    std::vector<Failure> all;
    for (const std::string& secret : {canary_jwt(), canary}) {
        const std::string told = "no: Bearer " + secret;
        all.push_back({"a JWT refused", always(faults::error(401, told)), 3});
        all.push_back({"a request refused", page(faults::error(400, told))});
        all.push_back({"busy", page(faults::error(503, told))});
        all.push_back({"text for JSON", page(faults::status(200, told, "text/plain"))});
        all.push_back({"redirected", page(faults::redirect("https://" + secret + ".invalid/"))});
        all.push_back({"redirected below", page(faults::redirect("/v4/" + secret + "/x"))});
        all.push_back({"an account's name",
                       [told](Scene& scene) {
                           scene.server.change([&](simulator::Behaviour& behaviour) {
                               behaviour.identity.name = told;
                           });
                       },
                       0});
        const auto service = [](Fault fault) {
            return [fault = std::move(fault)](Scene& scene) {
                scene.token_service->set_rule(rules::call(simulator::Call::token, fault));
            };
        };
        all.push_back({"the service refuses", service(faults::error(400, told)), 3});
        all.push_back({"the service is busy", service(faults::status(503, told))});
        all.push_back({"the service redirects", service(faults::redirect("https://" + secret))});
        all.push_back({"no token", service(faults::status(200, "{\"x\":\"" + secret + "\"}"))});
        all.push_back({"half a token", service(faults::status(200, "\"" + secret))});
    }
    all.push_back({"records", records("{", "{\"self\":\"Bearer " + canary_jwt() + "\","), 0});
    all.push_back({"all is well", [](Scene&) {}, 0});
    for (Failure& failure : all) {
        failure.version_4 = true;
    }
    in_parallel(all, play);
}

TEST_CASE("secrets: the password of a proxy") {
    const TemporaryDirectory directory;
    const auto certificates = simulator::make_certificates(directory.path());
    // As it stands in a URL.
    const std::string user = "ann:" + first_half + "%20" + second_half + "@";
    std::vector<Failure> all;
    using Answer = simulator::ProxyBehaviour::Answer;
    std::vector<std::unique_ptr<simulator::Proxy>> proxies;
    const auto add = [&](const std::string& name, Answer answer, unsigned status, int code,
                         const std::string& credentials = "") {
        simulator::ProxyBehaviour behaviour;
        behaviour.answer = answer;
        behaviour.status = status;
        if (!credentials.empty()) {
            behaviour.credentials = credentials;
        }
        proxies.push_back(std::make_unique<simulator::Proxy>(behaviour));
        std::string url = proxies.back()->url();
        url.insert(url.find("//") + 2, user);
        Failure failure{name,
                        [&, url](Scene& scene) {
                            scene.configure(
                                "api", "ca_file = \"" + certificates.authority.string() + "\"\n");
                            scene.environment["HTTPS_PROXY"] = url;
                        },
                        code};
        failure.server.tls = certificates.good;
        all.push_back(failure);
    };
    add("all is well", Answer::tunnel, 200, 0, "ann:" + first_half + " " + second_half);
    add("a wrong password", Answer::tunnel, 200, 1, "ann:another");
    add("forbidden", Answer::refuse, 403, 1);
    add("bad gateway", Answer::refuse, 502, 1);
    add("nonsense", Answer::nonsense, 0, 1);
    add("closed", Answer::close, 0, 1);
    for (const char* const scheme : {"https://", "socks5://", "http://x/"}) {
        all.push_back({"no such proxy",
                       [user, scheme](Scene& scene) {
                           scene.api_url.replace(0, 4, "https");
                           scene.environment["HTTPS_PROXY"] = scheme + user + "proxy:1";
                       },
                       2});
    }
    in_parallel(all, play);
}
