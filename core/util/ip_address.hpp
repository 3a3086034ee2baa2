// Addresses of the Internet, in whatever way they are written.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace mirror {

/// The 16 bytes of an IPv6 address; an IPv4 address is the one that is mapped to it
/// (::ffff:192.0.2.7). So two texts mean the same address if these are equal.
using IpAddress = std::array<unsigned char, 16>;

/// Nothing if the text is not an address.
std::optional<IpAddress> read_ip_address(std::string_view text);

/// Whether it is an IPv4 address.
bool is_mapped(const IpAddress& address);

/// The usual text: "192.0.2.7", "2001:db8::1".
std::string format_ip_address(const IpAddress& address);

}  // namespace mirror
