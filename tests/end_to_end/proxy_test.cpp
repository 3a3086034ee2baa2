// A proxy between the program and the API: found, used, and told apart from the API.

#include "tests/simulator/proxy.hpp"

#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/end_to_end/in_parallel.hpp"
#include "tests/end_to_end/scene.hpp"
#include "tests/simulator/certificates.hpp"

using namespace mirror;
using namespace mirror::test;
using simulator::Proxy;
using simulator::ProxyBehaviour;

namespace {

simulator::ServerOptions serving(const simulator::Certificates& certificates) {
    simulator::ServerOptions options;
    options.tls = certificates.good;
    return options;
}

void trust(Scene& scene, const simulator::Certificates& certificates) {
    scene.configure("api", "ca_file = \"" + certificates.authority.string() + "\"\n");
}

ProxyBehaviour with_password() {
    ProxyBehaviour behaviour;
    behaviour.credentials = "ann:a pass:word";
    return behaviour;
}

constexpr const char* user_and_password = "ann:a%20pass%3Aword";

}  // namespace

TEST_CASE("proxy: exact through it, as configured, by a file, and by the environment") {
    const TemporaryDirectory directory;
    const auto certificates = simulator::make_certificates(directory.path());
    in_parallel(std::vector<int>{0, 1, 2, 3}, [&](int way) -> std::string {
        Proxy proxy(with_password());
        Scene scene({}, serving(certificates));
        trust(scene, certificates);
        populate(scene, 1000);
        switch (way) {
            case 0:
                scene.configure("api", "proxy = \"" + proxy.url(user_and_password) + "\"\n");
                break;
            case 1:
                std::ofstream(scene.directory() / "word") << "a pass:word\n";
                scene.configure("api", "proxy = \"" + proxy.url("ann") +
                                           "\"\nproxy_password_file = \"word\"\n");
                break;
            case 2:
                scene.environment["HTTPS_PROXY"] = proxy.url(user_and_password);
                break;
            default:
                scene.environment["https_proxy"] = proxy.url(user_and_password);
                scene.environment["HTTPS_PROXY"] = "http://127.0.0.1:1";
                break;
        }
        std::string complaint = scene.complaint(scene.run({"sync"}));
        if (proxy.counters().tunnels == 0 ||
            proxy.counters().tunnels != scene.server.counters().connections) {
            complaint += fmt::format("{} tunnels for {} connections", proxy.counters().tunnels,
                                     scene.server.counters().connections);
        }
        const Run check = scene.run({"check"});
        if (check.out.find("leads to 127.0.0.1:") == std::string::npos) {
            complaint += check.out;
        }
        return complaint;
    });
}

TEST_CASE("proxy: exact in version 4 through it, the token service too") {
    const TemporaryDirectory directory;
    const auto certificates = simulator::make_certificates(directory.path());
    Proxy proxy;
    simulator::Behaviour behaviour;
    behaviour.version4.takes_api_token = false;
    Scene scene(behaviour, serving(certificates));
    trust(scene, certificates);
    scene.use_version_4();
    scene.configure("api", "proxy = \"" + proxy.url() + "\"\n");
    populate(scene, 300);
    CHECK(scene.complaint(scene.run({"sync"})) == "");
    CHECK(proxy.counters().tunnels ==
          scene.server.counters().connections + scene.token_service->counters().connections);
}

TEST_CASE("proxy: not used where it is excluded, ignored, or for plain HTTP") {
    const TemporaryDirectory directory;
    const auto certificates = simulator::make_certificates(directory.path());
    for (int way = 0; way < 3; ++way) {
        CAPTURE(way);
        Proxy proxy;
        Scene scene({}, way == 2 ? simulator::ServerOptions{} : serving(certificates));
        trust(scene, certificates);
        populate(scene, 100);
        scene.environment["HTTPS_PROXY"] = proxy.url();
        scene.environment["HTTP_PROXY"] = proxy.url();
        if (way == 0) {
            scene.environment["NO_PROXY"] = "example.com,127.0.0.0/8";
        } else if (way == 1) {
            scene.configure("api", "proxy = \"none\"\n");
        }
        CHECK(scene.complaint(scene.run({"sync"})) == "");
        CHECK(proxy.counters().connections == 0);
    }
}

TEST_CASE("proxy: what it refuses is told as the proxy's, also by check") {
    const TemporaryDirectory directory;
    const auto certificates = simulator::make_certificates(directory.path());
    using Answer = ProxyBehaviour::Answer;
    struct Case {
        Answer answer;
        unsigned status;
        bool wants_password;
        std::string said;
    };
    in_parallel(
        std::vector<Case>{
            {Answer::tunnel, 200, true, "wants a user name and a password (HTTP status 407)"},
            {Answer::refuse, 403, false, "does not allow connections to 127.0.0.1"},
            {Answer::refuse, 502, false, "does not reach 127.0.0.1 (HTTP status 502)"},
            {Answer::refuse, 302, false, "makes no connection to 127.0.0.1 (HTTP status 302)"},
            {Answer::close, 0, false, "breaks off"},
            {Answer::nonsense, 0, false, "does not answer as a proxy"},
        },
        [&](const Case& one) {
            ProxyBehaviour behaviour;
            behaviour.answer = one.answer;
            behaviour.status = one.status;
            if (one.wants_password) {
                behaviour.credentials = "ann:word";
            }
            Proxy proxy(behaviour);
            Scene scene({}, serving(certificates));
            trust(scene, certificates);
            scene.configure("mirror", "give_up_after = \"0s\"\n");
            scene.configure("api", "proxy = \"" + proxy.url() + "\"\n");
            populate(scene, 100);
            const Run run = scene.run({"sync"});
            std::string complaint = run.code == 1 ? "" : fmt::format("exit code {}", run.code);
            const std::string who =
                fmt::format("the proxy 127.0.0.1:{} {}", proxy.port(), one.said);
            const Run check = scene.run({"check"});
            if (run.err.find(who) == std::string::npos) {
                complaint += run.err;
            }
            if (check.out.find(who) == std::string::npos ||
                check.out.find("FAIL proxy") == std::string::npos) {
                complaint += check.out;
            }
            if (scene.server.counters().requests_with_token != 0) {
                complaint += "the token was sent";
            }
            return complaint;
        });
}

TEST_CASE("proxy: exact while it breaks connections off") {
    const TemporaryDirectory directory;
    const auto certificates = simulator::make_certificates(directory.path());
    ProxyBehaviour behaviour;
    behaviour.answer = ProxyBehaviour::Answer::close_in_tunnel;
    behaviour.tunnel_bytes = 20'000;
    Proxy proxy(behaviour);
    Scene scene({}, serving(certificates));
    trust(scene, certificates);
    scene.configure("api", "proxy = \"" + proxy.url() + "\"\n");
    scene.configure("api", "page_size = 100\n");  // some fit into a tunnel
    populate(scene, 2000);
    CHECK(scene.complaint(scene.run({"sync"})) == "");
    CHECK(proxy.counters().tunnels > 1);
}

TEST_CASE("proxy: one that opens TLS itself is refused before the token is sent") {
    const TemporaryDirectory directory;
    const auto certificates = simulator::make_certificates(directory.path());
    Proxy proxy;
    simulator::ServerOptions options;
    options.tls = certificates.unknown_authority;
    Scene scene({}, options);
    trust(scene, certificates);
    scene.configure("api", "proxy = \"" + proxy.url() + "\"\n");
    const Run run = scene.run({"sync"});
    CHECK(run.code == 1);
    CHECK(run.err.find("certificate was refused before the token was sent") != std::string::npos);
    CHECK(scene.server.counters().requests == 0);
}
