// What `check` finds in the file: its account, zone and gaps, and whether it is sound.

#include "daemon/check/check_contents.hpp"

#include <functional>
#include <optional>
#include <vector>

#include <doctest/doctest.h>

#include "tests/unit/daemon/check_fixture.hpp"

using namespace mirror;
using namespace mirror::daemon;
using namespace mirror::tests;

namespace {

Status good_status() {
    Status status;
    status.stream = &streams().front();
    status.account.emplace();
    status.account->id = "34";
    status.account->name = "Development";
    status.time_zone = "Europe/Amsterdam";
    status.complete = Window{Instant(Seconds(0)), Instant(Seconds(1000))};
    status.lag = Seconds(10);
    return status;
}

Expected good_expectation() {
    Expected expected;
    expected.account = "34";
    expected.time_zone = "Europe/Amsterdam";
    return expected;
}

}  // namespace

TEST_CASE("check: what the file says about itself") {
    CHECK(names_of(judge_contents({good_status()}, good_expectation())) == contents_checks());
    CHECK(worst_of(judge_contents({good_status()}, good_expectation())) == Verdict::ok);
    struct Case {
        const char* name;
        std::function<void(Status&, Expected&)> edit;
        Verdict verdict;
        ExitCode code;
        const char* words;
    };
    const Gap unread{{Instant(Seconds(10)), Instant(Seconds(11))}, "bad second"};
    const Gap unfetched{{Instant(Seconds(10)), Instant(Seconds(11))}, std::nullopt};
    const std::vector<Case> cases{
        {"account", [](auto& s, auto&) { s.account.reset(); }, Verdict::ok, ExitCode::done, ""},
        {"account", [](auto&, auto& e) { e.account = "35"; }, Verdict::fail, ExitCode::token, "35"},
        {"account", [](auto&, auto& e) { e.account.reset(); }, Verdict::warn, ExitCode::done,
         "not checked"},
        {"file_zone", [](auto&, auto& e) { e.time_zone = "UTC"; }, Verdict::fail, ExitCode::usage,
         "Europe/Amsterdam"},
        {"file_zone", [](auto&, auto& e) { e.time_zone.reset(); }, Verdict::warn, ExitCode::done,
         "not checked"},
        {"completeness", [](auto& s, auto&) { s.complete.reset(); }, Verdict::warn, ExitCode::done,
         "nothing"},
        {"completeness", [&](auto& s, auto&) { s.gaps = {unfetched}; }, Verdict::warn,
         ExitCode::done, "not fetched"},
        {"completeness",
         [&](auto& s, auto&) {
             s.gaps = {unfetched, unread};
         },
         Verdict::fail, ExitCode::not_whole, "bad second"},
        {"completeness", [](auto& s, auto&) { s.count_difference = "7 more"; }, Verdict::fail,
         ExitCode::not_whole, "audit"},
        {"completeness", [](auto& s, auto&) { s.lag = Seconds(900); }, Verdict::ok, ExitCode::done,
         ""},
        {"completeness", [](auto& s, auto&) { s.lag = Seconds(901); }, Verdict::warn,
         ExitCode::done, "15 min behind"},
        {"completeness",
         [](auto& s, auto& e) {
             s.lag = Seconds(901);
             e.poll_interval = Seconds(3600);
         },
         Verdict::ok, ExitCode::done, ""},
        {"last_error", [](auto& s, auto&) { s.last_error = "no answer"; }, Verdict::warn,
         ExitCode::done, "no answer"},
        {"rejects", [](auto& s, auto&) { s.rejects = 2; }, Verdict::warn, ExitCode::done, "2 rec"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.name);
        CAPTURE(c.words);
        Status status = good_status();
        Expected expected = good_expectation();
        c.edit(status, expected);
        const Findings findings = judge_contents({status}, expected);
        CHECK(names_of(findings) == contents_checks());
        const Finding& finding = named(findings, c.name);
        CHECK(finding.verdict == c.verdict);
        CHECK(finding.code == c.code);
        CHECK(says(finding, c.words));
    }
}

TEST_CASE("check: of several streams, the worst is shown") {
    Status sound = good_status();
    sound.stream = &streams().front();
    Status failing = sound;
    failing.stream = find_stream("clicks");
    failing.last_error = "the token may not";
    Status dropped = failing;
    dropped.stream = find_stream("abuses");
    dropped.followed = false;
    dropped.rejects = 7;
    const Findings findings = judge_contents({sound, failing, dropped}, good_expectation());
    CHECK(names_of(findings) == contents_checks());
    CHECK(named(findings, "completeness").verdict == Verdict::ok);
    CHECK(named(findings, "rejects").verdict == Verdict::ok);
    CHECK(named(findings, "last_error").verdict == Verdict::warn);
    CHECK(says(named(findings, "last_error"), "clicks: stuck: the token may not"));
}

TEST_CASE("check: how sound the file is") {
    storage::SoundnessReport report;
    CHECK(says(judge_soundness(report), "large"));
    report.whole_file = true;
    CHECK(judge_soundness(report).verdict == Verdict::ok);
    report.complaint = "row 3 missing from index";
    CHECK(judge_soundness(report).code == ExitCode::database);
    CHECK(says(judge_soundness(report), "row 3 missing"));
}
