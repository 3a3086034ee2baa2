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

std::string counted(std::uint64_t number, std::string_view what) {
    return fmt::format("{} {}{}", grouped(number), what, number == 1 ? "" : "s");
}

std::string fitted(const std::string& line, std::size_t columns) {
    const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; };
    // Some terminals wrap when the last column is written.
    const std::size_t room = columns > 1 ? columns - 1 : 1;
    std::size_t characters = 0;
    std::size_t cut = 0;  // where the last character that has room for one more begins
    for (std::size_t at = 0; at < line.size(); ++at) {
        if (!begins(line[at])) {
            continue;
        }
        ++characters;
        if (characters == room) {
            cut = at;
        }
        if (characters > room) {
            return line.substr(0, cut) + "…";
        }
    }
    return line;
}

std::string mebibytes(std::uint64_t bytes) {
    constexpr double mebibyte = 1024.0 * 1024.0;
    return fmt::format("{:.1f}", static_cast<double>(bytes) / mebibyte);
}

}  // namespace mirror::daemon
