// The judgements of `check`, as tables; tests/end_to_end/check_test.cpp tries the whole.

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>

#include "daemon/check/check_api.hpp"
#include "daemon/check/check_command.hpp"
#include "daemon/check/check_contents.hpp"
#include "daemon/check/check_file.hpp"
#include "daemon/check/check_service.hpp"
#include "daemon/check/check_setup.hpp"
#include "daemon/check/finding.hpp"

using namespace mirror;
using namespace mirror::daemon;
using Stage = ApiProbe::Stage;

namespace {

const Finding& named(const Findings& findings, std::string_view name) {
    const auto found = std::find_if(findings.begin(), findings.end(),
                                    [&](const Finding& f) { return f.name == name; });
    REQUIRE(found != findings.end());
    return *found;
}

std::vector<std::string> names_of(const Findings& findings) {
    std::vector<std::string> names;
    for (const Finding& finding : findings) {
        names.push_back(finding.name);
    }
    return names;
}

bool says(const Finding& finding, const std::string& words) {
    return (finding.detail + "\n" + finding.advice).find(words) != std::string::npos;
}

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
    probe.failure.emplace();
    probe.failure->stage = stage;
    probe.failure->why = "it broke";
    probe.failure->token_refused = token_refused;
    return probe;
}

storage::Entry entry(mode_t mode) {
    storage::Entry made;
    made.exists = true;
    made.regular = true;
    made.mode = mode;
    made.owner = 1;
    made.group = 2;
    made.readable = true;
    made.writable = true;
    return made;
}

// As entry() has it.
const Reader owner{1, std::nullopt};

storage::Inspection good_place() {
    storage::Inspection seen;
    seen.path = "/data/impressions.db";
    seen.database = entry(0640);
    seen.database.bytes = 10 << 20;
    seen.log = entry(0640);
    seen.shared = entry(0640);
    seen.lock = entry(0640);
    seen.directory = entry(0750);
    seen.directory.regular = false;
    seen.file_system = 0xef53;
    seen.free_bytes = std::uint64_t{10} << 30;
    return seen;
}

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

TEST_CASE("check: the exit code is that of what a person must see to first") {
    const auto fail = [](ExitCode code) { return found_fail("x", code, "", ""); };
    CHECK(exit_code_of({}) == ExitCode::done);
    CHECK(exit_code_of({found_ok("x", ""), found_warn("y", "", "")}) == ExitCode::done);
    const std::vector<ExitCode> order{ExitCode::usage, ExitCode::token, ExitCode::database,
                                      ExitCode::api, ExitCode::not_whole};
    for (std::size_t first = 0; first < order.size(); ++first) {
        CHECK(exit_code_of({fail(order[first])}) == order[first]);
        for (std::size_t second = first; second < order.size(); ++second) {
            CHECK(exit_code_of({fail(order[second]), fail(order[first])}) == order[first]);
        }
    }
}

TEST_CASE("check: the JSON object") {
    const auto json =
        boost::json::parse(findings_json({found_ok("a", "fine"), found_warn("b", "x\x1b[0m", "do"),
                                          found_fail("c", ExitCode::token, "no", "yes")}))
            .as_object();
    CHECK(json.at("overall") == "FAIL");
    CHECK(json.at("exit_code") == 3);
    const auto& checks = json.at("checks").as_array();
    REQUIRE(checks.size() == 3);
    CHECK(checks[0].at("name") == "a");
    CHECK(checks[0].at("result") == "OK");
    CHECK(checks[0].at("detail") == "fine");
    CHECK(checks[0].at("advice").is_null());
    CHECK(checks[1].at("result") == "WARN");
    CHECK(checks[1].at("detail") == "x\\u001b[0m");
    CHECK(checks[2].at("advice") == "yes");
    CHECK(boost::json::parse(findings_json({found_warn("b", "", "")})).at("overall") == "WARN");
    CHECK(boost::json::parse(findings_json({found_ok("b", "")})).at("overall") == "OK");
}

TEST_CASE("check: the text, with colour on a terminal only") {
    const Findings findings{found_ok("a", "fine"), found_fail("b", ExitCode::api, "bad\x1b", "do")};
    const std::string plain = findings_text(findings, false);
    CHECK(plain.rfind("OK   a ", 0) == 0);
    CHECK(plain.find("\nFAIL b ") != std::string::npos);
    CHECK(plain.find("-> do\n") != std::string::npos);
    CHECK(plain.find('\x1b') == std::string::npos);
    const std::string coloured = findings_text(findings, true);
    CHECK(coloured.find("\x1b[31mFAIL\x1b[0m") != std::string::npos);
    CHECK(coloured.find("bad\x1b") == std::string::npos);
}

TEST_CASE("check: one sees where the way to the API breaks") {
    CHECK(names_of(judge_api(good_probe())) == api_checks());
    CHECK(worst_of(judge_api(good_probe())) == Verdict::ok);
    struct Case {
        Stage stage;
        const char* name;
        std::size_t passed;  // lines before it that are OK
    };
    for (const Case& c : {Case{Stage::resolve, "resolve", 0}, Case{Stage::connect, "connect", 1},
                          Case{Stage::tls, "tls", 2}, Case{Stage::identity, "identity", 3},
                          Case{Stage::rows, "time_zone", 5}}) {
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
    probe.streams = {{"impressions", ""}, {"clicks", "HTTP status 403"}, {"errors", "404"}};
    const Finding finding = named(judge_api(probe), "streams");
    CHECK(finding.verdict == Verdict::fail);
    CHECK(finding.code == ExitCode::api);
    CHECK(says(finding, "does not serve clicks, errors: HTTP status 403"));
    CHECK(says(finding, "take them out of [mirror] streams"));
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
         {Case{0, Verdict::ok, "within 0 s"}, Case{60, Verdict::ok, ""}, Case{-60, Verdict::ok, ""},
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

TEST_CASE("check: the place of the file") {
    CHECK(names_of(judge_place(good_place(), owner)) == place_checks());
    CHECK(worst_of(judge_place(good_place(), owner)) == Verdict::ok);
    struct Case {
        const char* name;
        std::function<void(storage::Inspection&)> edit;
        Verdict verdict;
        const char* words;
    };
    const std::vector<Case> cases{
        {"database", [](auto& s) { s.directory.exists = false; }, Verdict::fail, "may not look"},
        {"database",
         [](auto& s) {
             s.database.exists = false;
             s.not_creatable = "it is a link to nowhere";
         },
         Verdict::fail, "cannot be created, because it is a link to nowhere"},
        {"database", [](auto& s) { s.database.exists = false; }, Verdict::warn, "does not exist"},
        {"database", [](auto& s) { s.database.regular = false; }, Verdict::fail, "regular"},
        {"database", [](auto& s) { s.database.readable = false; }, Verdict::fail, "group"},
        {"permissions", [](auto& s) { s.database.mode = 0644; }, Verdict::warn, "o-rwx"},
        {"permissions", [](auto& s) { s.database.mode = 0600; }, Verdict::warn, "g+r"},
        {"permissions", [](auto& s) { s.directory.mode = 0700; }, Verdict::warn, "g+x /data"},
        {"permissions", [](auto& s) { s.database.writable = false; }, Verdict::ok, "enough"},
        {"readers", [](auto& s) { s.log.exists = false; }, Verdict::warn, "-wal is missing"},
        {"readers", [](auto& s) { s.shared.exists = false; }, Verdict::warn, "-shm is missing"},
        {"readers",
         [](auto& s) {
             s.shared.exists = false;
             s.run_lock_held = true;
         },
         Verdict::fail, "restart"},
        {"readers", [](auto& s) { s.log.owner = 9; }, Verdict::fail, "chown"},
        {"readers", [](auto& s) { s.shared.mode = 0600; }, Verdict::warn, "-shm"},
        {"readers", [](auto& s) { s.log.group = 9; }, Verdict::warn, "-wal"},
        {"lock", [](auto& s) { s.lock.exists = false; }, Verdict::warn, "missing"},
        {"lock", [](auto& s) { s.lock.owner = 9; }, Verdict::fail, "chown"},
        {"lock",
         [](auto& s) {
             s.lock.owner = 9;
             s.lock.mode = 0660;
         },
         Verdict::ok, ""},
        {"file_system", [](auto& s) { s.file_system = 0x6969; }, Verdict::fail, "NFS"},
        {"file_system", [](auto& s) { s.file_system = 0xff534d42; }, Verdict::fail, "CIFS"},
        {"file_system", [](auto& s) { s.file_system = 0x65735546; }, Verdict::warn, "FUSE"},
        {"file_system", [](auto& s) { s.file_system = 0x01021994; }, Verdict::warn, "lost"},
        {"file_system", [](auto& s) { s.file_system = 0x1234; }, Verdict::ok, "0x1234"},
        {"file_system", [](auto& s) { s.file_system = 0; }, Verdict::warn, "not checked"},
        {"free_space", [](auto& s) { s.free_bytes = 1 << 20; }, Verdict::fail, "make room"},
        {"free_space", [](auto& s) { s.free_bytes = 100 << 20; }, Verdict::warn, "little"},
        {"free_space",
         [](auto& s) {
             s.free_bytes = std::uint64_t{1} << 30;
             s.database.bytes = std::uint64_t{6} << 30;
         },
         Verdict::warn, "little"},
        {"free_space", [](auto& s) { s.free_bytes.reset(); }, Verdict::warn, "not checked"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.name);
        CAPTURE(c.words);
        storage::Inspection seen = good_place();
        c.edit(seen);
        const Findings findings = judge_place(seen, owner);
        CHECK(names_of(findings) == place_checks());
        const Finding& finding = named(findings, c.name);
        CHECK(finding.verdict == c.verdict);
        CHECK(says(finding, c.words));
        if (c.verdict == Verdict::fail) {
            CHECK(finding.code == ExitCode::database);
        }
    }
}

TEST_CASE("check: SQLite's versions") {
    CHECK(judge_sqlite(3040001).detail.rfind("3.40.1: two writers", 0) == 0);
    CHECK(says(judge_sqlite(3051002), "FILE.lock"));
    CHECK(judge_sqlite(3051003).detail == "3.51.3");
}

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

TEST_CASE("check: a read-only file system is a fault for those who should write") {
    storage::Inspection seen = good_place();
    seen.read_only = true;
    for (const uid_t user : {uid_t{0}, uid_t{1}}) {
        const Finding finding = named(judge_place(seen, Reader{user, std::nullopt}), "file_system");
        CHECK(finding.verdict == Verdict::fail);
        CHECK(finding.code == ExitCode::database);
        CHECK(says(finding, "read-only"));
    }
    CHECK(named(judge_place(seen, Reader{7, std::nullopt}), "file_system").verdict == Verdict::ok);
    seen.database.exists = false;
    CHECK(named(judge_place(seen, Reader{7, std::nullopt}), "file_system").verdict ==
          Verdict::fail);
}

TEST_CASE("check: somebody else's file is not judged as ours") {
    const Findings findings = judge_place(good_place(), Reader{1, "not one of this program"});
    CHECK(names_of(findings) == place_checks());
    CHECK(named(findings, "database").verdict == Verdict::fail);
    CHECK(named(findings, "database").code == ExitCode::database);
    for (const Finding& finding : findings) {
        CHECK_FALSE(says(finding, "sync"));
    }
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

TEST_CASE("check: the service") {
    struct Case {
        bool systemd;
        std::optional<UnitState> unit;
        Verdict verdict;
        const char* words;
    };
    const auto unit = [](const char* load, const char* active, const char* sub, const char* file) {
        return UnitState{load, active, sub, file};
    };
    const std::vector<Case> cases{
        {false, std::nullopt, Verdict::ok, "systemd does not run"},
        {true, std::nullopt, Verdict::warn, "not checked"},
        {true, unit("not-found", "inactive", "dead", ""), Verdict::ok, "is not installed"},
        {true, unit("loaded", "active", "running", "enabled"), Verdict::ok, "active (running)"},
        {true, unit("loaded", "active", "running", "disabled"), Verdict::warn, "reboot"},
        {true, unit("loaded", "inactive", "dead", "enabled"), Verdict::warn, "enable --now"},
        {true, unit("loaded", "failed", "failed", "enabled"), Verdict::warn, "journalctl"},
        {true, unit("loaded", "activating", "auto-restart", "enabled"), Verdict::warn,
         "journalctl"},
        {true, unit("bad-setting", "inactive", "dead", "enabled"), Verdict::warn, "bad-setting"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.words);
        ServiceState state;
        state.systemd = c.systemd;
        state.unit = c.unit;
        const Finding finding = judge_service(state);
        CHECK(finding.verdict == c.verdict);
        CHECK(says(finding, c.words));
    }
}

TEST_CASE("check: a timer in place of the service") {
    ServiceState state;
    state.systemd = true;
    state.unit = UnitState{"loaded", "inactive", "dead", ""};
    state.timer = UnitState{"loaded", "inactive", "dead", ""};
    CHECK(judge_service(state).verdict == Verdict::warn);
    state.timer->active = "active";
    CHECK(judge_service(state).verdict == Verdict::ok);
    CHECK(says(judge_service(state), "runs `sync`"));
    state.unit->active = "failed";
    CHECK(judge_service(state).verdict == Verdict::warn);
}

TEST_CASE("check: who may read the token's file") {
    CHECK(judge_token_file("/t", entry(0600)).verdict == Verdict::ok);
    CHECK(judge_token_file("/t", entry(0640)).verdict == Verdict::ok);
    CHECK(says(judge_token_file("/t", entry(0644)), "chmod 600 /t"));
    CHECK(judge_token_file("/t", entry(0602)).verdict == Verdict::warn);
    CHECK(says(judge_token_file("/t", entry(0660)), "chmod g-w /t"));
}
