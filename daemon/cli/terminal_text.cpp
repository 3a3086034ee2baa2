#include "daemon/cli/terminal_text.hpp"

#include <fmt/format.h>

namespace mirror::daemon {

std::string grouped(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t at = text.size(); at > 3; at -= 3) {
        text.insert(at - 3, 1, ',');
    }
    return text;
}

std::string mebibytes(std::uint64_t bytes) {
    constexpr double mebibyte = 1024.0 * 1024.0;
    return fmt::format("{:.1f}", static_cast<double>(bytes) / mebibyte);
}

}  // namespace mirror::daemon
