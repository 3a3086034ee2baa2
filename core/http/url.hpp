// Where the API is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mirror::http {

/// A base URL that may be used: HTTPS, or plain HTTP to this machine only.
struct BaseUrl {
    bool tls = true;
    std::string host;  ///< lower case; an IPv6 address without its brackets
    bool host_is_address = false;
    std::uint16_t port = 443;
    std::string path;  ///< before "/identity" and the rest; without a slash at its end

    /// "api.copernica.com", "127.0.0.1:8080": for `Host`. The port only if it is not the usual.
    std::string authority() const;

    /// "https://api.copernica.com/v3".
    std::string text() const;
};

/// Throws std::invalid_argument, whose what() says in one line what is wrong. The URL itself is
/// not in it if it may hold a secret.
BaseUrl parse_base_url(std::string_view text);

/// Where a redirect leads.
struct RedirectTarget {
    enum class Kind { same_place, other_place, not_readable };
    Kind kind = Kind::not_readable;
    std::string path;   ///< same_place
    std::string query;  ///< same_place; may be empty; may hold a token
    std::string place;  ///< other_place: scheme, host and port, as the server wrote them
};

/// Reads a `Location` that came in answer to `path` of `base`. Another scheme or port is another
/// place, too.
RedirectTarget parse_location(const BaseUrl& base, std::string_view path,
                              std::string_view location);

}  // namespace mirror::http
