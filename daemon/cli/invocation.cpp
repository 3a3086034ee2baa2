#include "daemon/cli/invocation.hpp"

#include <string_view>

namespace mirror::daemon {
namespace {

// As a shell takes it for one word.
std::string quoted(const std::string& word) {
    constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./~+-=:@%,";
    if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) {
        return word;
    }
    std::string text = "'";
    for (const char c : word) {
        text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return text + "'";
}

}  // namespace

Invocation invocation_of(const CommandLine& line, const std::filesystem::path& default_config) {
    constexpr const char* service = "copernica-mirror";
    Invocation invocation;
    if (line.config) {
        invocation.options += " --config " + quoted(line.config->string());
    }
    if (line.database) {
        invocation.options += " --database " + quoted(line.database->string());
        return invocation;
    }
    if (!line.config || *line.config == default_config) {
        invocation.unit = service;
    } else if (line.config->parent_path() == default_config.parent_path() &&
               line.config->extension() == ".toml") {
        invocation.unit = service;
        invocation.unit->append("@").append(line.config->stem().string());
    }
    return invocation;
}

}  // namespace mirror::daemon
