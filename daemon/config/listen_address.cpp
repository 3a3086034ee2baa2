#include "daemon/config/listen_address.hpp"

#include <charconv>

#include <boost/asio/ip/address.hpp>

namespace mirror::daemon {

std::optional<ListenAddress> parse_listen_address(std::string_view text) {
    constexpr std::string_view here = "127.0.0.1";
    std::string_view address = here;
    std::string_view port = text;
    if (const auto colon = text.rfind(':'); colon != std::string_view::npos) {
        address = text.substr(0, colon);
        port = text.substr(colon + 1);
    }
    const bool bracketed = address.size() > 2 && address.front() == '[' && address.back() == ']';
    if (bracketed) {
        address = address.substr(1, address.size() - 2);
    } else if (address == "localhost") {
        address = here;
    }
    ListenAddress parsed;
    const char* const end = port.data() + port.size();
    const auto number = std::from_chars(port.data(), end, parsed.port);
    boost::system::error_code wrong;
    const auto ip = boost::asio::ip::make_address(address, wrong);
    if (wrong || ip.is_v6() != bracketed || number.ec != std::errc() || number.ptr != end) {
        return std::nullopt;
    }
    parsed.address = ip.to_string();
    parsed.loopback = ip.is_loopback();
    return parsed;
}

}  // namespace mirror::daemon
