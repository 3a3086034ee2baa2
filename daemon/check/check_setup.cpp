#include "daemon/check/check_setup.hpp"

#include <exception>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/http/connection.hpp"
#include "daemon/config/proxy_choice.hpp"
#include "daemon/config/token.hpp"
#include "daemon/process/usage_error.hpp"
#include "daemon/process/users.hpp"

namespace mirror::daemon {
namespace {

constexpr mode_t group_write = 0020;
constexpr mode_t others_read_or_write = 0006;

// Derives from the configuration what the program would, in the same order.
void complete(Setup& setup, const Environment& environment) {
    setup.zone.emplace(setup.config->api.time_zone);
    try {
        setup.url = http::parse_base_url(setup.config->api.url);
    } catch (const std::invalid_argument& error) {
        throw UsageError(fmt::format("{}: {}", setup.config->name_of("[api] url"), error.what()));
    }
    setup.auth_url = http::parse_base_url(setup.config->api.auth_url);
    setup.proxy = choose_proxy(*setup.config, environment, *setup.url);
    setup.auth_proxy = choose_proxy(*setup.config, environment, *setup.auth_url);
    if (setup.url->tls) {
        try {
            http::load_trust(setup.config->api.ca_file.string());
        } catch (const std::runtime_error& error) {
            throw UsageError(
                fmt::format("{}: {}", setup.config->name_of("[api] ca_file"), error.what()));
        }
    }
}

// The file from which the packaged service gets its credential.
std::filesystem::path packaged_token(const Environment& environment) {
    return environment.default_config.parent_path() / "access_token";
}

std::string advice_without_token(const Environment& environment) {
    const auto packaged = packaged_token(environment);
    std::error_code ignored;
    if (std::filesystem::exists(packaged, ignored)) {
        return fmt::format(
            "the service gets its token from {0}: put it there, and try it with --token-file {0}",
            packaged.string());
    }
    return "";
}

}  // namespace

Setup read_setup(const std::function<Config()>& read, const Environment& environment) {
    Setup setup;
    try {
        setup.config = read();
        complete(setup, environment);
    } catch (const std::exception& error) {
        setup.problem = error.what();
    }
    return setup;
}

Finding judge_configuration(const CommandLine& line, const Environment& environment,
                            const Setup& setup) {
    constexpr const char* name = "configuration";
    if (!setup.problem.empty()) {
        return found_fail(name, ExitCode::usage, setup.problem, "put it right, and check again");
    }
    if (setup.config->untrusted) {
        return found_fail(name, ExitCode::usage, *setup.config->untrusted,
                          "it says to which server the token goes: let only root or you change it");
    }
    if (!setup.config->warnings.empty()) {
        return found_warn(name, fmt::format("{}", fmt::join(setup.config->warnings, "; ")),
                          "change it, and check again");
    }
    if (line.config) {
        return found_ok(name, line.config->string());
    }
    std::error_code ignored;
    if (std::filesystem::exists(environment.default_config, ignored)) {
        return found_ok(name, environment.default_config.string());
    }
    return found_ok(name, fmt::format("no file ({} is not there): the defaults",
                                      environment.default_config.string()));
}

Finding judge_token_file(const std::filesystem::path& path, const storage::Entry& file) {
    constexpr const char* name = "token";
    const std::string how = fmt::format("{}, {}", path.string(), owner_text(file));
    if ((file.mode & others_read_or_write) != 0) {
        return found_warn(
            name, how + ": everybody on this machine may use it",
            fmt::format("chmod 600 {}, and make a new token: this one is known", path.string()));
    }
    if ((file.mode & group_write) != 0) {
        return found_warn(name, how + ": its group may change it",
                          fmt::format("chmod g-w {}", path.string()));
    }
    return found_ok(name, how);
}

TokenCheck check_token(const CommandLine& line, const Config& config,
                       const Environment& environment) {
    TokenCheck check;
    try {
        FoundToken found = find_token(line.token_file, config.api.token_file, environment);
        check.token = std::move(found.token);
        if (found.file) {
            check.finding = judge_token_file(*found.file, storage::look_at(*found.file));
        } else {
            check.finding = found_ok("token", "from " + found.source);
        }
    } catch (const UsageError& error) {
        check.finding =
            found_fail("token", ExitCode::usage, error.what(), advice_without_token(environment));
    }
    return check;
}

}  // namespace mirror::daemon
