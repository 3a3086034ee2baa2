// HTTPS: requests go to the right server, and no other server gets the token.

#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "tests/end_to_end/scene.hpp"
#include "tests/simulator/certificates.hpp"

using namespace mirror;
using namespace mirror::test;

namespace {

simulator::ServerOptions serving(const simulator::Tls& tls) {
    simulator::ServerOptions options;
    options.tls = tls;
    return options;
}

void trust(Scene& scene, const std::filesystem::path& authority) {
    scene.configure("api", "ca_file = \"" + authority.string() + "\"\n");
}

}  // namespace

TEST_CASE("tls: a certificate that is right, by address and by name") {
    const TemporaryDirectory directory;
    const auto certificates = simulator::make_certificates(directory.path());
    Scene scene({}, serving(certificates.good));
    trust(scene, certificates.authority);
    populate(scene);
    REQUIRE(scene.api_url.starts_with("https://"));
    CHECK(scene.complaint(scene.run({"sync"})) == "");
    scene.api_url = scene.server.url("localhost");
    scene.server.clock().advance(Seconds(60));
    CHECK(scene.complaint(scene.run({"sync"})) == "");
}

TEST_CASE("tls: connections that are cut within a body") {
    const TemporaryDirectory directory;
    const auto certificates = simulator::make_certificates(directory.path());
    Scene scene({}, serving(certificates.good));
    trust(scene, certificates.authority);
    populate(scene, 3000);
    scene.server.set_rule(simulator::rules::first_of({
        simulator::rules::nth({4}, simulator::faults::delivery(simulator::Delivery::close_in_body)),
        simulator::rules::nth({8}, simulator::faults::delivery(simulator::Delivery::reset_in_body)),
        simulator::rules::nth({11}, simulator::faults::delivery(simulator::Delivery::close_before)),
    }));
    CHECK(scene.complaint(scene.run({"sync"})) == "");
}

TEST_CASE("tls: every certificate that is wrong is refused before the token is sent") {
    const TemporaryDirectory directory;
    const auto certificates = simulator::make_certificates(directory.path());
    const std::vector<std::pair<std::string, simulator::Tls>> wrong{
        {"wrong host", certificates.wrong_host},
        {"expired", certificates.expired},
        {"not yet valid", certificates.not_yet_valid},
        {"self-signed", certificates.self_signed},
        {"unknown authority", certificates.unknown_authority},
    };
    for (const auto& certificate : wrong) {
        const auto& name = certificate.first;
        const auto& tls = certificate.second;
        CAPTURE(name);
        Scene scene({}, serving(tls));
        trust(scene, certificates.authority);
        populate(scene, 100);
        const Run run = scene.run({"sync"});
        CAPTURE(run.err);
        CHECK(run.code == 1);
        CHECK(run.err.find("certificate") != std::string::npos);
        CHECK(scene.server.counters().requests == 0);
        CHECK(scene.server.counters().requests_with_token == 0);
        CHECK(scene.rows().empty());
    }
}

TEST_CASE("tls: an authority that is not in ca_file, or in the system, is not trusted") {
    const TemporaryDirectory directory;
    const auto certificates = simulator::make_certificates(directory.path());
    Scene scene({}, serving(certificates.good));
    populate(scene, 100);
    const Run run = scene.run({"sync"});
    CAPTURE(run.err);
    CHECK(run.code == 1);
    CHECK(scene.server.counters().requests == 0);
}

TEST_CASE("tls: a server that does not speak it gets no token either") {
    Scene scene;
    scene.configure("mirror", "give_up_after = \"0s\"\n");
    populate(scene, 100);
    scene.api_url.replace(0, 4, "https");
    const Run run = scene.run({"sync"});
    CAPTURE(run.err);
    CHECK(run.code == 1);
    CHECK(scene.server.counters().requests_with_token == 0);
}

TEST_CASE("tls: plain HTTP to anything but loopback is wrong configuration") {
    for (const char* const url :
         {"http://192.0.2.1/v3", "http://api.copernica.com/v3", "http://127.0.0.1.example.com/v3",
          "http://localhost.example.com/v3", "http://127.0.0.1@192.0.2.1/v3"}) {
        CAPTURE(std::string(url));
        Scene scene;
        scene.api_url = url;
        const Run run = scene.run({"sync"});
        CAPTURE(run.err);
        CHECK(run.code == 2);
        CHECK_FALSE(std::filesystem::exists(scene.database()));
    }
}
