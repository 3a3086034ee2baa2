// Replies that are wrong in every way known, at any point: never stored, always asked again.

#include <atomic>
#include <functional>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/time/text.hpp"
#include "tests/end_to_end/in_parallel.hpp"
#include "tests/end_to_end/scene.hpp"
#include "tests/support/fault_table.hpp"

using namespace mirror;
using namespace mirror::test;
using simulator::Behaviour;
using simulator::Delivery;
using simulator::Fault;
namespace faults = simulator::faults;
namespace rules = simulator::rules;

namespace {

std::vector<std::pair<std::string, Fault>> every_fault() {
    std::vector<std::pair<std::string, Fault>> all{
        {"500", faults::status(500)},
        {"502", faults::gateway(502)},
        {"503", faults::gateway(503)},
        {"504", faults::gateway(504)},
        {"429", faults::too_many_requests()},
        {"429 with Retry-After", faults::too_many_requests("1")},
        {"503 without a body", faults::status(503)},
        {"a page of HTML as 200", faults::html_as_ok()},
        {"200 without a body", faults::status(200, "", "application/json")},
        {"an error as 200",
         faults::status(200, R"({"error":{"message":"Oops"}})", "application/json")},
        {"204", faults::status(204)},
        {"a list in place of an object", faults::status(200, "[]", "application/json")},
        {"an object without members", faults::status(200, "{}", "application/json")},
        {"another period, later", faults::other_period(std::chrono::hours(24 * 40))},
        {"another period, earlier", faults::other_period(-std::chrono::hours(24 * 40))},
        {"another start", faults::wrong_start()},
        {"a count too high", faults::wrong_count(1)},
        {"a count too low", faults::wrong_count(-1)},
        {"a total too high", faults::wrong_total(1)},
        {"a total too low", faults::wrong_total(-1)},
        {"a limit above what was asked", faults::wrong_limit(5000)},
        {"no total", faults::without_total()},
        {"a record twice", faults::duplicate()},
        {"a short page", faults::short_page(3)},
        {"malformed JSON", faults::malformed_json()},
        {"JSON that is cut", faults::cut_json()},
        {"text after the JSON", faults::trailing("<!-- -->")},
        {"JSON after the JSON", faults::trailing("{}")},
        {"gzip that is cut", faults::cut_gzip()},
        {"close before a reply", faults::delivery(Delivery::close_before)},
        {"reset before a reply", faults::delivery(Delivery::reset_before)},
        {"close within the body", faults::delivery(Delivery::close_in_body)},
        {"reset within the body", faults::delivery(Delivery::reset_in_body)},
        {"no last chunk", faults::delivery(Delivery::without_last_chunk)},
        {"close after the reply", faults::delivery(Delivery::close_after)},
        {"moved rows", faults::moved_rows()},
    };
    return all;
}

}  // namespace

TEST_CASE("bad replies: each kind, in the middle of a sync") {
    in_parallel(every_fault(), [](const auto& named) {
        const auto& [name, fault] = named;
        FaultClass fault_class("server", "a reply that is wrong, in the middle of a sync");
        fault_class.begin();
        Scene scene;
        populate(scene, 4000);
        // A window's first page, and one of those that follow.
        auto left = std::make_shared<std::atomic<int>>(2);
        scene.server.set_rule(
            [left, fault = fault](const simulator::Request& request) -> std::optional<Fault> {
                const bool first = request.question.total;
                if (request.call != simulator::Call::impressions || request.call_number < 8 ||
                    *left == 0 || first != (*left == 2)) {
                    return std::nullopt;
                }
                --*left;
                return fault;
            });
        const Run run = scene.run({"sync"});
        std::string complaint = scene.complaint(run);
        if (*left != 0) {
            complaint += "\nthe fault did not happen";
        }
        if (complaint.empty()) {
            fault_class.passed();
        }
        return complaint.empty() ? complaint : name + ": " + complaint;
    });
}

TEST_CASE("bad replies: the request that fails is any of the first" * every_stream) {
    std::vector<std::uint64_t> numbers(12);
    std::iota(numbers.begin(), numbers.end(), 1);
    in_parallel(numbers, [](std::uint64_t number) {
        Scene scene;
        populate(scene, 2000);
        scene.server.set_rule(rules::nth({number}, faults::gateway(503)));
        return scene.complaint(scene.run({"sync"}));
    });
}

TEST_CASE("bad replies: identity fails first") {
    Scene scene;
    populate(scene, 100);
    auto left = std::make_shared<int>(1);
    scene.server.set_rule([left](const simulator::Request& request) -> std::optional<Fault> {
        if (request.call == simulator::Call::identity && *left > 0) {
            --*left;
            return faults::html_as_ok();
        }
        return std::nullopt;
    });
    CHECK(scene.complaint(scene.run({"sync"})) == "");
}

TEST_CASE("bad replies: a second that never comes back whole") {
    Scene scene;
    populate(scene, 2000);
    const Instant bad = utc("2026-10-10 10:10:10");
    for (std::int64_t id = 100'000; id < 100'010; ++id) {
        scene.account.add(row(id, bad));
    }
    const LocalTime bad_local = scene.account.zone().to_local(bad);
    scene.server.set_rule(rules::when(
        [bad_local](const simulator::Request& request) {
            return request.question.begin < bad_local && bad_local < request.question.end;
        },
        faults::wrong_total(1)));
    const Run run = scene.run({"sync"});
    CAPTURE(run.err);
    CHECK(run.code == 5);
    CHECK(run.out.find("NOT complete") != std::string::npos);

    // All else is there.
    std::vector<StreamRow> rest = scene.truth();
    std::erase_if(rest,
                  [](const StreamRow& one) { return one.timestamp == "2026-10-10 12:10:10"; });
    std::vector<StreamRow> held = scene.rows();
    std::erase_if(held,
                  [](const StreamRow& one) { return one.timestamp == "2026-10-10 12:10:10"; });
    CHECK(held == rest);

    const Run status = scene.run({"status", "--json"});
    CHECK(status.code == 0);
    CAPTURE(status.out);
    CHECK(status.out.find("\"gaps\":[{\"begin\":\"2026-10-10T10:10:") != std::string::npos);
    CHECK(status.out.find("never added up") != std::string::npos);
    CHECK(scene.run({"status"}).out.find("never added up") != std::string::npos);

    // When it is healed, the next sync fills it.
    scene.server.set_rule({});
    scene.server.clock().advance(Seconds(60));
    CHECK(scene.complaint(scene.run({"sync"})) == "");
    CHECK(scene.run({"status", "--json"}).out.find("\"gaps\":[]") != std::string::npos);
}

TEST_CASE("bad replies: a window that always fails holds nothing else up") {
    const std::vector<std::pair<Fault, std::string>> all{
        {faults::error(400, "Something is wrong"), "Something is wrong"},
        {faults::gateway(503), "503"},
        {faults::html_as_ok(), "JSON"},
        {faults::delivery(Delivery::close_in_body), "closed by the server"},
    };
    in_parallel(all, [](const auto& one) -> std::string {
        const auto& [fault, reason] = one;
        Scene scene;
        // Narrow, so that it takes few halvings, and few pauses, to get to the second.
        scene.configure("mirror", "start = \"2026-11-23 16:59:52\"\n");
        scene.server.clock().stand_at(present());
        for (std::int64_t id = 1; id <= 40; ++id) {
            scene.account.add(row(id, present() - Seconds(6 + id % 3)));
        }
        const LocalTime bad = scene.account.zone().to_local(present() - Seconds(8));
        // Queries that hold the second, not those of its neighbours, whose bounds touch it.
        scene.server.set_rule(rules::when(
            [bad](const simulator::Request& request) {
                return request.question.begin < bad && bad < request.question.end;
            },
            fault));
        const Run run = scene.run({"sync"});
        if (run.code != 5 || run.err.find("could not be fetched") == std::string::npos ||
            run.err.find(reason) == std::string::npos) {
            return fmt::format("exit code {}: {}", run.code, run.err);
        }
        std::vector<StreamRow> held = scene.rows();
        std::vector<StreamRow> rest = scene.truth();
        const auto is_bad = [text = format_local(bad)](const StreamRow& shown) {
            return shown.timestamp == text;
        };
        std::erase_if(rest, is_bad);
        std::erase_if(held, is_bad);
        if (held != rest) {
            return fmt::format("{} rows of {}: {}", held.size(), rest.size(), run.err);
        }
        scene.server.set_rule({});
        scene.server.clock().advance(Seconds(60));
        return scene.complaint(scene.run({"sync"}));
    });
}

TEST_CASE("bad replies: where nothing succeeds, the end is 1 and nothing is claimed") {
    const std::vector<std::pair<std::string, Fault>> all{
        {"503", faults::gateway(503)},
        {"HTML", faults::html_as_ok()},
        {"400", faults::error(400, "Unknown parameter")},
        {"404", faults::error(404, "No such method")},
        {"429 for longer than we wait", faults::too_many_requests("3600")},
    };
    for (const auto& one : all) {
        const auto& name = one.first;
        const auto& fault = one.second;
        CAPTURE(name);
        Scene scene;
        scene.configure("mirror", "give_up_after = \"1s\"\n");
        populate(scene, 100);
        scene.server.set_rule(rules::always(fault));
        const Run run = scene.run({"sync"});
        CAPTURE(run.err);
        CHECK(run.code == 1);
        CHECK(scene.rows().empty());
        CHECK(scene.query("SELECT count(*) FROM coverage") == "0");
        scene.server.set_rule({});
        CHECK(scene.complaint(scene.run({"sync"})) == "");
    }
}

TEST_CASE("bad replies: one reply in eight fails, in a way drawn at random") {
    Scene scene;
    populate(scene, 4000);
    scene.server.set_rule(rules::at_random(0.08, 7));
    CHECK(scene.complaint(scene.run({"sync"})) == "");
}
