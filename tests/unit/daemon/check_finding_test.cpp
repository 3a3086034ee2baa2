// Findings of `check`: the exit code, as JSON and as text.

#include <cstddef>
#include <string>
#include <vector>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>

#include "daemon/check/finding.hpp"

using namespace mirror;
using namespace mirror::daemon;

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
