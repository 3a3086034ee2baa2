#include "daemon/config/toml_file.hpp"

#include <string>
#include <system_error>

#include <fmt/format.h>

#include "daemon/config/config_value.hpp"
#include "daemon/process/unreadable.hpp"
#include "daemon/process/usage_error.hpp"

namespace mirror::daemon {

toml::table parse_toml_file(const std::filesystem::path& file, const char* what) {
    // toml++ reads a directory as an empty file, and reports a file without permission as a parse
    // error at line 0.
    std::error_code ignored;
    if (std::filesystem::is_directory(file, ignored)) {
        throw UsageError(fmt::format("{} is a directory; name the {} in it", file.string(), what));
    }
    try {
        return toml::parse_file(file.string());
    } catch (const toml::parse_error& error) {
        if (error.source().begin.line == 0) {
            throw UsageError(
                fmt::format("{}: cannot be read: {}; name a {} that this user may read",
                            file.string(), why_unreadable(file), what));
        }
        throw config_error(file, error.source().begin.line, std::string(error.description()));
    }
}

}  // namespace mirror::daemon
