// What `check` finds on the way to the API.

#include "daemon/check/check_api.hpp"

#include <cstddef>
#include <cstdint>

#include <doctest/doctest.h>

#include "tests/unit/daemon/check_fixture.hpp"

using namespace mirror;
using namespace mirror::daemon;
using namespace mirror::tests;
using Stage = ApiProbe::Stage;

namespace {

ApiProbe good_probe() {
    ApiProbe probe;
    probe.place = "api.example.com:443";
    probe.addresses = {"192.0.2.1"};
    probe.has_token = true;
    probe.answered_at = Instant(Seconds(1'000'000));
    probe.identity.emplace();
    probe.identity->id = "34";
    probe.identity->name = "Development";
    probe.identity->date = probe.answered_at;
    probe.calls_this_month = 43'200;
    return probe;
}

ApiProbe failed_at(Stage stage, bool token_refused = false) {
    ApiProbe probe = good_probe();
    if (stage <= Stage::identity) {
        probe.identity.reset();
    }
    probe.failure = ApiProbe::Failure();
    probe.failure->stage = stage;
    probe.failure->why = "it broke";
    probe.failure->token_refused = token_refused;
    return probe;
}

}  // namespace

TEST_CASE("check: one sees where the way to the API breaks") {
    CHECK(names_of(judge_api(good_probe())) == api_checks());
    CHECK(worst_of(judge_api(good_probe())) == Verdict::ok);
    struct Case {
        Stage stage;
        const char* name;
        std::size_t passed;  // lines before it that are OK
    };
    for (const Case& c :
         {Case{Stage::resolve, "resolve", 0}, Case{Stage::connect, "connect", 1},
          Case{Stage::proxy, "proxy", 2}, Case{Stage::tls, "tls", 3},
          Case{Stage::identity, "identity", 4}, Case{Stage::rows, "time_zone", 6}}) {
        CAPTURE(c.name);
        const Findings findings = judge_api(failed_at(c.stage));
        CHECK(names_of(findings) == api_checks());
        for (std::size_t i = 0; i < findings.size(); ++i) {
            if (findings[i].name == c.name) {
                CHECK(findings[i].verdict == Verdict::fail);
                CHECK(findings[i].code == ExitCode::api);
                CHECK(findings[i].detail == "it broke");
                CHECK_FALSE(findings[i].advice.empty());
            } else {
                CHECK((findings[i].verdict == Verdict::ok) == (i < c.passed));
                CHECK(findings[i].verdict != Verdict::fail);
            }
        }
    }
}

TEST_CASE("check: a refused token, and none") {
    const Findings refused = judge_api(failed_at(Stage::identity, true));
    CHECK(named(refused, "identity").code == ExitCode::token);
    CHECK(exit_code_of(refused) == ExitCode::token);

    ApiProbe without = good_probe();
    without.has_token = false;
    without.identity.reset();
    const Findings findings = judge_api(without);
    CHECK(named(findings, "tls").verdict == Verdict::ok);
    CHECK(named(findings, "identity").verdict == Verdict::warn);
    CHECK(named(findings, "time_zone").verdict == Verdict::warn);
    CHECK(worst_of(findings) == Verdict::warn);
}

TEST_CASE("check: streams that the token may not read are named") {
    ApiProbe probe = good_probe();
    probe.streams = {
        {"impressions", "", ""}, {"clicks", "HTTP status 403", ""}, {"errors", "404", ""}};
    const Finding finding = named(judge_api(probe), "streams");
    CHECK(finding.verdict == Verdict::fail);
    CHECK(finding.code == ExitCode::api);
    CHECK(says(finding, "does not serve clicks, errors: HTTP status 403"));
    CHECK(says(finding, "take them out of [mirror] streams"));
}

TEST_CASE("check: the month's API calls, and that nobody has to know them") {
    CHECK(says(named(judge_api(good_probe()), "requests"), "43200 API calls"));
    ApiProbe probe = good_probe();
    probe.calls_this_month.reset();
    probe.no_calls = "the token may not read them";
    CHECK(named(judge_api(probe), "requests").verdict == Verdict::ok);
    CHECK(says(named(judge_api(probe), "requests"), "may not read"));
}

TEST_CASE("check: the two clocks") {
    struct Case {
        std::int64_t ahead;
        Verdict verdict;
        const char* words;
    };
    for (const Case& c :
         {Case{0, Verdict::ok, "within 1 s"}, Case{60, Verdict::ok, ""}, Case{-60, Verdict::ok, ""},
          Case{61, Verdict::warn, "61 s ahead"}, Case{-7200, Verdict::warn, "2 h behind"}}) {
        CAPTURE(c.ahead);
        ApiProbe probe = good_probe();
        probe.answered_at = *probe.identity->date + Seconds(c.ahead);
        const Findings findings = judge_api(probe);
        CHECK(named(findings, "clock").verdict == c.verdict);
        CHECK(says(named(findings, "clock"), c.words));
    }
    ApiProbe probe = good_probe();
    probe.identity->date.reset();
    CHECK(named(judge_api(probe), "clock").code == ExitCode::api);
}

TEST_CASE("check: the zone") {
    ApiProbe probe = good_probe();
    probe.wrong_zone = "7 h ahead";
    const Findings findings = judge_api(probe);
    CHECK(named(findings, "time_zone").code == ExitCode::usage);
    CHECK(says(named(findings, "time_zone"), "7 h ahead"));
}

TEST_CASE("check: a proxy is named") {
    ApiProbe probe = good_probe();
    const auto detail = [&probe](const char* name) { return named(judge_api(probe), name).detail; };
    CHECK(detail("proxy") == "none");
    probe.proxy = "proxy.example.com:3128";
    CHECK(detail("resolve") == "the proxy proxy.example.com:3128 is 192.0.2.1");
    CHECK(detail("connect") == "the proxy proxy.example.com:3128 answers");
    CHECK(detail("proxy") == "proxy.example.com:3128 leads to api.example.com:443");
}

TEST_CASE("check: version and paths are named") {
    ApiProbe probe = good_probe();
    probe.version = 4;
    CHECK(named(judge_api(probe), "identity").detail ==
          "the token is that of Development (34); version 4 of the API");
    probe.streams = {{"impressions", "", "ms/impressions"}, {"mailings", "", "ms/emailings"}};
    CHECK(named(judge_api(probe), "streams").detail ==
          "the API serves impressions at ms/impressions, mailings at ms/emailings");
}
