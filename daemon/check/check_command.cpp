#include "daemon/check/check_command.hpp"

#include <chrono>
#include <exception>
#include <filesystem>
#include <optional>
#include <ostream>

#include "daemon/check/api_probe.hpp"
#include "daemon/check/check_api.hpp"
#include "daemon/check/check_contents.hpp"
#include "daemon/check/check_file.hpp"
#include "daemon/check/check_service.hpp"
#include "daemon/check/check_setup.hpp"
#include "daemon/check/finding.hpp"
#include "daemon/cli/invocation.hpp"
#include "daemon/cli/moving_line.hpp"
#include "daemon/config/longest_pause.hpp"
#include "daemon/config/stream_choice.hpp"
#include "daemon/status/status.hpp"
#include "storage/inspection.hpp"
#include "storage/mirror_database.hpp"
#include "storage/sqlite/errors.hpp"
#include "storage/status_reader.hpp"

namespace mirror::daemon {
namespace {

// SQLite reads so much in a second or two.
constexpr std::uint64_t checked_whole_up_to = std::uint64_t{128} << 20;
constexpr std::chrono::milliseconds busy_timeout(2000);

Findings all_not_checked(const std::vector<std::string>& names, const std::string& why) {
    Findings findings;
    for (const std::string& name : names) {
        findings.push_back(not_checked(name, why));
    }
    return findings;
}

struct ApiCheck {
    Findings findings;
    std::optional<std::string> account;  ///< ID of the token's
};

ApiCheck check_api(const Setup& setup, const std::optional<std::string>& token, bool quiet,
                   const Environment& environment) {
    ApiCheck check;
    if (!setup.problem.empty()) {
        check.findings = all_not_checked(api_checks(), "`configuration` failed");
        return check;
    }
    ApiProbeOptions options(*setup.url, *setup.zone);
    options.auth_url = setup.auth_url;
    options.proxy = setup.proxy;
    options.auth_proxy = setup.auth_proxy;
    options.ca_file = setup.config->api.ca_file.string();
    options.token = token;
    options.streams = streams_named(setup.config->mirror.streams);
    // A server that hangs takes its time.
    MovingLine notice(environment, quiet);
    notice.show("asking " + options.url.host + " …");
    const ApiProbe probe = probe_api(options, environment.clock);
    check.findings = judge_api(probe);
    if (probe.identity) {
        check.account = probe.identity->id;
    }
    return check;
}

// Read from the file's header, which leaves no trace.
std::optional<std::string> why_foreign(const storage::Inspection& seen) {
    if (!seen.database.exists || !seen.database.regular || !seen.database.readable) {
        return std::nullopt;
    }
    try {
        storage::refuse_unless_mirror(seen.path);
    } catch (const storage::DatabaseError& error) {
        if (error.kind() == storage::DatabaseErrorKind::foreign ||
            error.kind() == storage::DatabaseErrorKind::newer) {
            return error.what();
        }
    }
    return std::nullopt;
}

Findings contents(const storage::Inspection& seen, const Reader& reader, const Expected& expected,
                  Clock& clock) {
    std::vector<std::string> names = contents_checks();
    names.insert(names.begin(), "integrity");
    if (!seen.database.exists) {
        return all_not_checked(names, "no file");
    }
    if (reader.foreign) {
        return all_not_checked(names, "this program cannot use the file");
    }
    if (!may_be_read_without_a_trace(seen)) {
        return all_not_checked(names,
                               "reading the file would make the -wal and -shm that are "
                               "missing");
    }
    Findings findings;
    try {
        findings.push_back(judge_soundness(
            storage::check_soundness(seen.path, checked_whole_up_to, busy_timeout)));
        storage::StatusOptions options;
        options.path = seen.path;
        options.busy_timeout = busy_timeout;
        append(findings, judge_contents(assess_all(storage::read_status(options), expected.streams,
                                                   clock.utc()),
                                        expected));
    } catch (const storage::DatabaseError& error) {
        // It says itself what to do.
        const std::string name = findings.empty() ? "integrity" : contents_checks().front();
        findings.push_back(found_fail(name, ExitCode::database, error.what(), ""));
        names.erase(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(findings.size()));
        append(findings, all_not_checked(names, "the file cannot be read"));
    }
    return findings;
}

Findings check_file(const std::filesystem::path& file, const Expected& expected,
                    const Environment& environment) {
    const storage::Inspection seen = storage::inspect(file);
    Reader reader;
    reader.user = environment.effective_user;
    reader.foreign = why_foreign(seen);
    Findings findings = judge_place(seen, reader);
    append(findings, contents(seen, reader, expected, environment.clock));
    findings.push_back(judge_run(seen));
    return findings;
}

std::vector<std::string> file_checks() {
    std::vector<std::string> names = place_checks();
    names.emplace_back("integrity");
    names.insert(names.end(), contents_checks().begin(), contents_checks().end());
    names.emplace_back("run");
    return names;
}

Findings check_everything(const CommandLine& line, const Environment& environment,
                          const Setup& setup) {
    Findings findings{judge_configuration(line, environment, setup)};
    std::optional<std::string> token;
    if (setup.config) {
        TokenCheck check = check_token(line, *setup.config, environment);
        token = std::move(check.token);
        findings.push_back(std::move(check.finding));
    } else {
        findings.push_back(not_checked("token", "`configuration` failed"));
    }
    ApiCheck api = check_api(setup, token, line.quiet, environment);
    append(findings, std::move(api.findings));

    Expected expected;
    expected.account = api.account;
    std::optional<std::filesystem::path> file = line.database;
    if (setup.config) {
        expected.time_zone = setup.config->api.time_zone;
        expected.poll_interval = longest_pause(*setup.config);
        expected.streams = streams_named(setup.config->mirror.streams);
        file = setup.config->mirror.database;
    }
    append(findings, file ? check_file(*file, expected, environment)
                          : all_not_checked(file_checks(), "`configuration` failed"));
    findings.push_back(judge_sqlite(storage::sqlite_version()));
    findings.push_back(
        judge_service(read_service_state(invocation_of(line, environment.default_config).unit)));
    return findings;
}

}  // namespace

std::vector<std::string> check_names() {
    std::vector<std::string> names{"configuration", "token"};
    for (const auto& more : {api_checks(), file_checks()}) {
        names.insert(names.end(), more.begin(), more.end());
    }
    names.emplace_back("sqlite");
    names.emplace_back("service");
    return names;
}

ExitCode check(const CommandLine& line, const Environment& environment,
               const std::function<Config()>& read_configuration) {
    const Findings findings =
        check_everything(line, environment, read_setup(read_configuration, environment));
    if (line.json) {
        environment.out << findings_json(findings) << std::flush;
    } else {
        const bool colour = environment.out_is_terminal && !environment.no_color && !line.quiet;
        environment.out << findings_text(findings, colour) << std::flush;
    }
    return exit_code_of(findings);
}

}  // namespace mirror::daemon
