#include "daemon/config/proxy_choice.hpp"

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <string>

#include <fmt/format.h>

#include "daemon/process/unreadable.hpp"
#include "daemon/process/usage_error.hpp"

namespace mirror::daemon {
namespace {

constexpr std::size_t longest_password = 1024;

// The first line; nothing if the file cannot be read.
std::optional<std::string> first_line(const std::filesystem::path& file) {
    std::error_code ignored;
    std::ifstream in(file, std::ios::binary);
    if (!std::filesystem::is_regular_file(file, ignored) || !in) {
        return std::nullopt;
    }
    std::string text(longest_password + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    text.resize(std::min(text.find_first_of("\r\n"), text.size()));
    return text;
}

std::string password_in(const std::filesystem::path& file, const std::string& source) {
    const std::optional<std::string> password = first_line(file);
    if (!password) {
        throw UsageError(
            fmt::format("{}: {} cannot be read: {}; name a file that this user may read", source,
                        file.string(), why_unreadable(file)));
    }
    if (password->empty() || password->size() > longest_password ||
        std::any_of(password->begin(), password->end(),
                    [](unsigned char c) { return c < 0x20 || c == 0x7f; })) {
        throw UsageError(fmt::format("{}: {} does not hold a password, in its first line", source,
                                     file.string()));
    }
    return *password;
}

void add_password(http::ProxyAddress& proxy, const Config& config, const Environment& environment) {
    if (!proxy.user || proxy.password) {
        return;
    }
    if (!config.api.proxy_password_file.empty()) {
        proxy.password = password_in(config.api.proxy_password_file,
                                     config.name_of("[api] proxy_password_file"));
        return;
    }
    if (environment.credentials_directory) {
        const auto credential = *environment.credentials_directory / "proxy_password";
        std::error_code ignored;
        if (std::filesystem::exists(credential, ignored)) {
            proxy.password = password_in(credential, "the systemd credential proxy_password");
        }
    }
}

http::ProxyAddress of_environment(std::string url) {
    if (url.find("://") == std::string::npos) {
        url.insert(0, "http://");
    }
    try {
        return http::parse_proxy(url);
    } catch (const std::invalid_argument& error) {
        throw UsageError(fmt::format(
            "$HTTPS_PROXY: {}; set [api] proxy to another one, or to \"none\"", error.what()));
    }
}

}  // namespace

std::optional<http::ProxyAddress> choose_proxy(const Config& config, const Environment& environment,
                                               const http::BaseUrl& server) {
    if (!server.tls || config.api.proxy == "none") {
        return std::nullopt;
    }
    std::optional<http::ProxyAddress> proxy;
    if (!config.api.proxy.empty()) {
        proxy = http::parse_proxy(config.api.proxy);
    } else if (environment.https_proxy && !environment.https_proxy->empty() &&
               !http::is_excluded(server.host, environment.no_proxy.value_or(""))) {
        proxy = of_environment(*environment.https_proxy);
    }
    if (proxy) {
        add_password(*proxy, config, environment);
    }
    return proxy;
}

}  // namespace mirror::daemon
