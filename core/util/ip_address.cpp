#include "core/util/ip_address.hpp"

#include <algorithm>
#include <arpa/inet.h>

namespace mirror {
namespace {

constexpr std::size_t mapped_size = 12;
constexpr std::array<unsigned char, mapped_size> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255};

}  // namespace

std::optional<IpAddress> read_ip_address(std::string_view text) {
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    if (text.empty() || text.size() >= terminated.size() ||
        text.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    std::copy(text.begin(), text.end(), terminated.begin());
    IpAddress address{};
    if (::inet_pton(AF_INET6, terminated.data(), address.data()) == 1) {
        return address;
    }
    std::copy(mapped.begin(), mapped.end(), address.begin());
    if (::inet_pton(AF_INET, terminated.data(), address.data() + mapped_size) == 1) {
        return address;
    }
    return std::nullopt;
}

bool is_mapped(const IpAddress& address) {
    return std::equal(mapped.begin(), mapped.end(), address.begin());
}

std::string format_ip_address(const IpAddress& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (is_mapped(address)) {
        ::inet_ntop(AF_INET, address.data() + mapped_size, text.data(), text.size());
    } else {
        ::inet_ntop(AF_INET6, address.data(), text.data(), text.size());
    }
    return text.data();
}

}  // namespace mirror
