// What `check` finds, as values: one line each.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/process/exit_code.hpp"

namespace mirror::daemon {

enum class Verdict { ok, warn, fail };

struct Finding {
    std::string name;  ///< stable: a contract with scripts
    Verdict verdict = Verdict::ok;
    std::string detail;              ///< what was found, in one line
    std::string advice;              ///< what to do; empty if there is nothing to do
    ExitCode code = ExitCode::done;  ///< of a FAIL: what the program would end with
};

using Findings = std::vector<Finding>;

Finding found_ok(std::string name, std::string detail);
Finding found_warn(std::string name, std::string detail, std::string advice);
Finding found_fail(std::string name, ExitCode code, std::string detail, std::string advice);

/// A WARN: could not be checked. `why` completes "not checked: …".
Finding not_checked(std::string name, const std::string& why);

void append(Findings& all, Findings more);

/// "OK", "WARN", "FAIL".
std::string_view word_of(Verdict verdict);

Verdict worst_of(const Findings& findings);

/// 0 if nothing failed. Of several codes, the one to solve first, since it may cause the others: 2
/// configuration, 3 token, 4 database, 1 API, 5 not whole.
ExitCode exit_code_of(const Findings& findings);

/// For people: a line for each, and below it what to do.
std::string findings_text(const Findings& findings, bool colour);

/// The documented JSON object, with a line's end.
std::string findings_json(const Findings& findings);

}  // namespace mirror::daemon
