// How numbers and lines are written for people.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mirror::daemon {

/// "1,200,345".
std::string grouped(std::uint64_t number);

/// "1 row", "1,200 rows". `what`: one of them, in English, whose plural ends in s.
std::string counted(std::uint64_t number, std::string_view what);

/// As a number of MiB with one decimal: "117.7".
std::string mebibytes(std::uint64_t bytes);

/// As much of a line of UTF-8 as a terminal of so many columns shows without a wrap; what is left
/// out is told by "…".
std::string fitted(const std::string& line, std::size_t columns);

}  // namespace mirror::daemon
