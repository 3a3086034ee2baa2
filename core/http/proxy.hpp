// A proxy of HTTP's CONNECT: where it is, for whom it is used, what is said to it and what its
// answer means. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/http/url.hpp"

namespace mirror::http {

struct ProxyAddress {
    std::string host;  ///< lower case; an IPv6 address without its brackets
    std::uint16_t port = 0;
    std::optional<std::string> user;
    std::optional<std::string> password;

    /// "proxy.example.com:3128": without user and password, for people.
    std::string place() const;
    /// The value of `Proxy-Authorization`; empty without a user.
    std::string authorization() const;
};

/// Reads "http://proxy.example.com:3128", with "user:password@" before the host if there is a
/// user; without a port it is 1080, as for curl. Throws std::invalid_argument, whose what() says in
/// one line what is wrong, without the URL.
ProxyAddress parse_proxy(std::string_view url);

/// Whether NO_PROXY excludes the host, as curl reads it: names with or without a dot in front, and
/// what ends in them; addresses, also as "10.0.0.0/8"; "*" is everything.
bool is_excluded(std::string_view host, std::string_view no_proxy);

/// The request for a tunnel to the URL's host.
std::string connect_request(const BaseUrl& url, const ProxyAddress& proxy);

/// How far the answer to it has come.
struct ProxyAnswer {
    enum class State {
        incomplete,  ///< more has to come
        tunnel,      ///< what follows is the server's
        refused,
        broken,  ///< not HTTP
    };
    State state = State::incomplete;
    int status = 0;
};

/// Reads the answer as far as it has come.
ProxyAnswer read_proxy_answer(std::string_view received);

/// Why the proxy did not open a tunnel, in words to show, and whether somebody has to change the
/// configuration or the proxy first.
struct ProxyRefusal {
    std::string why;
    bool needs_person = false;
};
ProxyRefusal proxy_refusal(int status, const BaseUrl& url, const ProxyAddress& proxy);

}  // namespace mirror::http
