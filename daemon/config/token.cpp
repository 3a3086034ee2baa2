#include "daemon/config/token.hpp"

#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "daemon/config/token_text.hpp"
#include "daemon/process/unreadable.hpp"
#include "daemon/process/usage_error.hpp"

namespace mirror::daemon {
namespace {

// So much of a file is read: more than a token has.
constexpr std::size_t longest = 16 * 1024;

std::string without_white_ends(const std::string& text) {
    constexpr const char* white = " \t\r\n";
    const auto first = text.find_first_not_of(white);
    if (first == std::string::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(white) - first + 1);
}

void refuse_unless_token(const std::string& text, const std::string& source) {
    if (const auto why = why_not_a_token(text)) {
        throw UsageError(fmt::format("{} does not hold an access token: {}", source, *why));
    }
}

// The token in a file; empty if the file is.
std::string read_token(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::string text(longest + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    std::error_code ignored;
    if (looks_like_a_token(file.string()) && !std::filesystem::exists(file, ignored)) {
        throw UsageError(
            "the name of the token file looks like a token itself (it is not shown); put the token "
            "into a file that only you may read, and name that file");
    }
    if (in.bad() || (in.fail() && !in.eof()) || !std::filesystem::is_regular_file(file)) {
        throw UsageError(
            fmt::format("the token file {} cannot be read: {}; name one that this user may read",
                        file.string(), why_unreadable(file)));
    }
    text.resize(static_cast<std::size_t>(in.gcount()));
    std::string token = without_white_ends(text);
    refuse_unless_token(token, file.string());
    return token;
}

FoundToken from_file(const std::filesystem::path& file) {
    FoundToken found;
    found.source = file.string();
    found.file = file;
    found.advice = fmt::format(
        "put a new one into {}: it is read again every 15 minutes, and when the program starts",
        file.string());
    found.token = read_token(file);
    if (found.token.empty()) {
        throw UsageError(
            fmt::format("the token file {} is empty; put the account's access token "
                        "into it",
                        file.string()));
    }
    std::error_code ignored;
    const auto mode = std::filesystem::status(file, ignored).permissions();
    using std::filesystem::perms;
    if ((mode & (perms::others_read | perms::others_write)) != perms::none) {
        found.warning =
            fmt::format("everybody may read the token file {0}; chmod 600 {0}", file.string());
    }
    return found;
}

}  // namespace

FoundToken find_token(const std::optional<std::filesystem::path>& option,
                      const std::filesystem::path& configured, const Environment& environment) {
    if (option) {
        return from_file(*option);
    }
    if (!configured.empty()) {
        return from_file(configured);
    }
    if (environment.credentials_directory) {
        const auto credential = *environment.credentials_directory / "access_token";
        std::error_code ignored;
        if (std::filesystem::exists(credential, ignored)) {
            FoundToken found;
            found.source = "the systemd credential access_token";
            found.advice =
                "put a new one into the file that LoadCredential= of the unit names (as "
                "installed: /etc/copernica-mirror/access_token), and restart the service";
            found.token = read_token(credential);
            if (!found.token.empty()) {
                return found;
            }
        }
    }
    if (environment.access_token && !environment.access_token->empty()) {
        FoundToken found;
        found.source = "$COPERNICA_ACCESS_TOKEN";
        found.advice = "start the program again with a new one in $COPERNICA_ACCESS_TOKEN";
        found.token = without_white_ends(*environment.access_token);
        refuse_unless_token(found.token, found.source);
        if (!found.token.empty()) {
            return found;
        }
    }
    if (environment.credentials_directory) {
        throw UsageError(
            "no access token; make one in the Copernica dashboard, put it into the file "
            "that the unit's LoadCredential= names (packaged: /etc/copernica-mirror/access_token), "
            "and start the service again");
    }
    throw UsageError(
        "no access token; make one in the Copernica dashboard, put it into a file that "
        "only you may read, and name it with --token-file or [api] token_file (or set "
        "COPERNICA_ACCESS_TOKEN)");
}

std::optional<std::string> token_now(const std::filesystem::path& file) {
    try {
        std::string token = read_token(file);
        if (!token.empty()) {
            return token;
        }
    } catch (const UsageError&) {
        // Somebody may be editing it.
    }
    return std::nullopt;
}

}  // namespace mirror::daemon
