// `check`: configuration and token.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "core/http/proxy.hpp"
#include "core/http/url.hpp"
#include "core/time/zone.hpp"
#include "daemon/check/finding.hpp"
#include "daemon/cli/command_line.hpp"
#include "daemon/config/config.hpp"
#include "daemon/process/environment.hpp"
#include "storage/inspection.hpp"

namespace mirror::daemon {

/// The configuration with what follows from it, or what is wrong with it.
struct Setup {
    std::optional<Config> config;
    std::optional<Zone> zone;
    std::optional<http::BaseUrl> url;
    std::optional<http::BaseUrl> auth_url;
    std::optional<http::ProxyAddress> proxy;       ///< nothing: none
    std::optional<http::ProxyAddress> auth_proxy;  ///< the same of auth_url
    std::string problem;  ///< empty if there is none; then all of the others are set
};

/// `read` gives the configuration, or throws UsageError.
Setup read_setup(const std::function<Config()>& read, const Environment& environment);

Finding judge_configuration(const CommandLine& line, const Environment& environment,
                            const Setup& setup);

/// The token, and the finding about it, which never contains the token.
struct TokenCheck {
    std::optional<std::string> token;
    Finding finding;
};

/// Who may read the file that holds the token. Pure.
Finding judge_token_file(const std::filesystem::path& path, const storage::Entry& file);

TokenCheck check_token(const CommandLine& line, const Config& config,
                       const Environment& environment);

}  // namespace mirror::daemon
