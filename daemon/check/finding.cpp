#include "daemon/check/finding.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "core/util/printable.hpp"

namespace mirror::daemon {
namespace {

constexpr std::size_t longest_line = 1000;

std::string_view colour_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::ok:
            return "\x1b[32m";
        case Verdict::warn:
            return "\x1b[33m";
        case Verdict::fail:
            return "\x1b[31m";
    }
    return "";
}

std::string padded_word(Verdict verdict, bool colour) {
    const std::string word = fmt::format("{:<4}", word_of(verdict));
    return colour ? fmt::format("{}{}\x1b[0m", colour_of(verdict), word) : word;
}

}  // namespace

Finding found_ok(std::string name, std::string detail) {
    return {std::move(name), Verdict::ok, std::move(detail), "", ExitCode::done};
}

Finding found_warn(std::string name, std::string detail, std::string advice) {
    return {std::move(name), Verdict::warn, std::move(detail), std::move(advice), ExitCode::done};
}

Finding found_fail(std::string name, ExitCode code, std::string detail, std::string advice) {
    return {std::move(name), Verdict::fail, std::move(detail), std::move(advice), code};
}

Finding not_checked(std::string name, const std::string& why) {
    return found_warn(std::move(name), "not checked: " + why, "");
}

void append(Findings& all, Findings more) {
    std::move(more.begin(), more.end(), std::back_inserter(all));
}

std::string_view word_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::ok:
            return "OK";
        case Verdict::warn:
            return "WARN";
        case Verdict::fail:
            return "FAIL";
    }
    return "FAIL";
}

Verdict worst_of(const Findings& findings) {
    Verdict worst = Verdict::ok;
    for (const Finding& finding : findings) {
        worst = std::max(worst, finding.verdict);
    }
    return worst;
}

ExitCode exit_code_of(const Findings& findings) {
    constexpr std::array first_things_first{ExitCode::usage, ExitCode::token, ExitCode::database,
                                            ExitCode::api, ExitCode::not_whole};
    for (const ExitCode code : first_things_first) {
        const auto fails_so = [code](const Finding& finding) {
            return finding.verdict == Verdict::fail && finding.code == code;
        };
        if (std::any_of(findings.begin(), findings.end(), fails_so)) {
            return code;
        }
    }
    return ExitCode::done;
}

std::string findings_text(const Findings& findings, bool colour) {
    std::string text;
    for (const Finding& finding : findings) {
        // Names of accounts and the API's words may be in it.
        text += fmt::format("{} {:<14} {}\n", padded_word(finding.verdict, colour), finding.name,
                            printable(finding.detail, longest_line));
        if (!finding.advice.empty()) {
            text += fmt::format("{:<19} -> {}\n", "", printable(finding.advice, longest_line));
        }
    }
    return text;
}

std::string findings_json(const Findings& findings) {
    boost::json::array checks;
    for (const Finding& finding : findings) {
        boost::json::object check;
        check["name"] = finding.name;
        check["result"] = word_of(finding.verdict);
        check["detail"] = printable(finding.detail, longest_line);
        check["advice"] = finding.advice.empty()
                              ? boost::json::value(nullptr)
                              : boost::json::value(printable(finding.advice, longest_line));
        checks.push_back(std::move(check));
    }
    boost::json::object object;
    object["overall"] = word_of(worst_of(findings));
    object["exit_code"] = static_cast<int>(exit_code_of(findings));
    object["checks"] = std::move(checks);
    return printable_json(boost::json::serialize(object)) + "\n";
}

}  // namespace mirror::daemon
