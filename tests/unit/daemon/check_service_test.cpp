// What `check` finds of the service under systemd.

#include "daemon/check/check_service.hpp"

#include <optional>
#include <vector>

#include <doctest/doctest.h>

#include "tests/unit/daemon/check_fixture.hpp"

using namespace mirror;
using namespace mirror::daemon;
using namespace mirror::tests;

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
        state.name = "copernica-mirror";
        state.systemd = c.systemd;
        state.unit = c.unit;
        const Finding finding = judge_service(state);
        CHECK(finding.verdict == c.verdict);
        CHECK(says(finding, c.words));
    }
}

TEST_CASE("check: a timer in place of the service") {
    ServiceState state;
    state.name = "copernica-mirror";
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

TEST_CASE("check: the service is that of the configuration") {
    ServiceState state;
    state.systemd = true;
    CHECK(judge_service(state).verdict == Verdict::ok);  // a file beside the service's
    state.name = "copernica-mirror@shop";
    state.unit = UnitState{"loaded", "inactive", "dead", "disabled"};
    CHECK(says(judge_service(state), "enable --now copernica-mirror@shop.service"));
}
