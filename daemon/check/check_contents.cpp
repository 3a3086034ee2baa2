#include "daemon/check/check_contents.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/time/text.hpp"
#include "core/util/duration_text.hpp"
#include "daemon/cli/terminal_text.hpp"
#include "daemon/status/status_text.hpp"

namespace mirror::daemon {
namespace {

// A mirror that polls is seldom as late as this.
constexpr Seconds late{900};

std::string shown_account(const storage::FileStatus::Account& account) {
    return fmt::format("{} ({})", account.name, account.id);
}

Finding judge_account(const Status& status, const Expected& expected) {
    constexpr const char* name = "account";
    if (!status.account) {
        return found_ok(name, "the file does not belong to an account yet");
    }
    const std::string owner = "the file is that of " + shown_account(*status.account);
    if (!expected.account) {
        return not_checked(name, owner + ", the token's account is not known");
    }
    if (*expected.account != status.account->id) {
        return found_fail(
            name, ExitCode::token,
            fmt::format("{}, the token is that of account {}", owner, *expected.account),
            "put that account's token in, or name another file");
    }
    return found_ok(name, owner + ", as is the token");
}

Finding judge_zone(const Status& status, const Expected& expected) {
    constexpr const char* name = "file_zone";
    if (!expected.time_zone) {
        return not_checked(name, "the configured zone is not known");
    }
    if (status.time_zone != *expected.time_zone) {
        return found_fail(
            name, ExitCode::usage,
            fmt::format("the file's times are local to {}, {} is configured", status.time_zone,
                        *expected.time_zone),
            fmt::format("set [api] time_zone = \"{}\", or name another file", status.time_zone));
    }
    if (status.zone_behind.count() > 0) {
        return found_warn(name, zone_behind_text(status.zone_behind, status.time_zone),
                          "set [api] time_zone to the account's, and start with a new file");
    }
    return found_ok(name, status.time_zone + ", as configured");
}

// The worst finding on the streams that are followed, which names its stream if there are several.
template <typename Judge>
Finding worst_finding(const Statuses& all, Judge judge) {
    std::optional<Finding> worst;
    for (const Status& status : all) {
        if (!status.followed) {
            continue;
        }
        Finding finding = judge(status);
        if (!worst || finding.verdict > worst->verdict) {
            if (all.size() > 1 && finding.verdict != Verdict::ok) {
                finding.detail = fmt::format("{}: {}", status.stream->name, finding.detail);
            }
            worst = std::move(finding);
        }
    }
    return worst ? std::move(*worst) : judge(all.front());
}

Finding judge_completeness(const Status& status, const Expected& expected) {
    constexpr const char* name = "completeness";
    if (status.count_difference) {
        return found_fail(
            name, ExitCode::not_whole,
            fmt::format("{} {} than the file has", *status.count_difference, status.stream->name),
            "copernica-mirror audit --repair; the next `sync` or `run` counts again");
    }
    if (!status.complete) {
        return found_warn(name, "nothing is complete yet", "let `run` or `sync` do its work");
    }
    const auto unreadable = std::find_if(status.gaps.begin(), status.gaps.end(),
                                         [](const Gap& gap) { return gap.reason.has_value(); });
    if (unreadable != status.gaps.end()) {
        return found_fail(name, ExitCode::not_whole,
                          fmt::format("{} {}; of {} it is known why: {}", status.gaps.size(),
                                      status.gaps.size() == 1 ? "gap" : "gaps",
                                      format_utc(unreadable->window.begin), *unreadable->reason),
                          "`run` and `sync` try again; `status` lists all");
    }
    if (!status.gaps.empty()) {
        return found_warn(name,
                          fmt::format("{} {} not fetched yet", status.gaps.size(),
                                      status.gaps.size() == 1 ? "period is" : "periods are"),
                          "`run` and `sync` fill them, newest first");
    }
    const std::string how = fmt::format("complete through {}", format_utc(status.complete->end));
    if (status.lag && *status.lag > std::max(late, 3 * expected.poll_interval)) {
        return found_warn(name, fmt::format("{}, {} behind", how, duration_text(*status.lag)),
                          "start the service, or see `last_error`; in the night in autumn when an "
                          "hour comes twice two hours are normal");
    }
    return found_ok(name, how);
}

Finding judge_last_error(const Status& status) {
    constexpr const char* name = "last_error";
    if (!status.last_error) {
        return found_ok(
            name, status.last_success ? "none since " + format_utc(*status.last_success) : "none");
    }
    const std::string since =
        status.failing_since ? " since " + format_utc(*status.failing_since) : "";
    return found_warn(name, fmt::format("stuck{}: {}", since, *status.last_error),
                      "if the lines above are OK, it may have been resolved: run `sync` again, or "
                      "wait for the next poll of `run`");
}

Finding judge_rejects(const Status& status) {
    if (status.rejects == 0) {
        return found_ok("rejects", "none");
    }
    return found_warn(
        "rejects", counted(status.rejects, "record") + " could not be stored as rows",
        "see the table rejects for the reasons, and report to Copernica what is wrong");
}

}  // namespace

const std::vector<std::string>& contents_checks() {
    static const std::vector<std::string> all{"account", "file_zone", "completeness", "last_error",
                                              "rejects"};
    return all;
}

Findings judge_contents(const Statuses& all, const Expected& expected) {
    const Status& any = worst_of(all);
    return {
        judge_account(any, expected),
        worst_finding(all, [&](const Status& one) { return judge_zone(one, expected); }),
        worst_finding(all, [&](const Status& one) { return judge_completeness(one, expected); }),
        worst_finding(all, judge_last_error), worst_finding(all, judge_rejects)};
}

Finding judge_soundness(const storage::SoundnessReport& report) {
    constexpr const char* name = "integrity";
    if (!report.complaint.empty()) {
        return found_fail(name, ExitCode::database, "SQLite says: " + report.complaint,
                          "stop the service, move the file away, or restore a copy; a new mirror "
                          "fetches everything again");
    }
    return found_ok(name, report.whole_file
                              ? "PRAGMA quick_check of the whole file is ok"
                              : "the small tables are ok; the file is large: sqlite3 -readonly "
                                "FILE 'PRAGMA quick_check' checks all of it");
}

}  // namespace mirror::daemon
