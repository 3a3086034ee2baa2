// Where the metrics are served, as people write it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mirror::daemon {

struct ListenAddress {
    std::string address;     ///< numeric, IPv4 or IPv6
    std::uint16_t port = 0;  ///< 0: any that is free
    bool loopback = true;    ///< nobody on another machine gets there
};

/// "127.0.0.1:9743", "[::1]:9743", "localhost:9743", or a port alone, which is on loopback. Nothing
/// for anything else.
std::optional<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace mirror::daemon
