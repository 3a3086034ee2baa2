// What one bad moment may cost: a request or two, and never the rest.

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "tests/end_to_end/scene.hpp"

using namespace mirror;
using namespace mirror::test;
using simulator::Fault;
using simulator::Request;
namespace faults = simulator::faults;
namespace rules = simulator::rules;

namespace {

// Of all requests, those of these numbers meet the fault.
simulator::Rule requests(std::set<std::uint64_t> numbers, Fault fault) {
    return [numbers, fault](const Request& request) -> std::optional<Fault> {
        return numbers.contains(request.number) ? std::optional(fault) : std::nullopt;
    };
}

}  // namespace

TEST_CASE("bad moments: a refusal that is not the API's own is tried again in seconds") {
    const std::string page = "<html><body>Access denied by policy 17</body></html>";
    for (const unsigned status : {400U, 401U, 403U, 404U}) {
        for (const std::set<std::uint64_t>& numbers :
             {std::set<std::uint64_t>{1}, std::set<std::uint64_t>{2, 3},
              std::set<std::uint64_t>{6}}) {
            CAPTURE(status);
            CAPTURE(*numbers.begin());
            Scene scene;
            populate(scene, 2000);
            scene.server.set_rule(requests(numbers, faults::status(status, page)));
            const Run run = scene.run({"sync"});
            CHECK(scene.complaint(run) == "");
        }
    }
}

TEST_CASE("bad moments: a refused token in the API's own form counts if identity says so, too") {
    Scene scene;
    populate(scene, 2000);
    scene.server.set_rule(requests({4}, faults::error(403, "Forbidden")));
    const Run run = scene.run({"sync"});
    CHECK(scene.complaint(run) == "");
}

TEST_CASE("bad moments: if everything is refused, the address is said to be wrong") {
    Scene scene;
    populate(scene, 100);
    scene.server.set_rule([](const Request&) {
        return std::optional(faults::status(404, "<html>Not Found</html>"));
    });
    const Run run = scene.run({"sync"});
    CAPTURE(run.err);
    CHECK(run.code == 1);
    CHECK(run.err.find("HTTP status 404; is [api] url right?") != std::string::npos);
    CHECK(scene.requests() < 10);
}

TEST_CASE("bad moments: a server that refuses too many requests gets not many more") {
    simulator::Behaviour behaviour;
    behaviour.requests_per_second = 20;
    Scene scene(behaviour);
    populate(scene, 1500);
    scene.configure("api", "page_size = 10\n");
    const Run run = scene.run({"sync"});
    CHECK(scene.complaint(run) == "");
    std::uint64_t refused = 0;
    for (const simulator::LogEntry& entry : scene.server.log()) {
        refused += entry.status == 429 ? 1 : 0;
    }
    CAPTURE(scene.requests());
    CHECK(refused > 0);
    CHECK(refused * 4 < scene.requests());
}
