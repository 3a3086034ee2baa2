// How numbers are written for people, and how a line on a terminal is written anew.
#pragma once

#include <cstdint>
#include <string>

namespace mirror::daemon {

/// Carriage return, then "erase the line" (ECMA-48 EL 2).
inline constexpr const char* erase_line = "\r\x1b[2K";

/// "1,200,345".
std::string grouped(std::uint64_t number);

/// As a number of MiB with one decimal: "117.7".
std::string mebibytes(std::uint64_t bytes);

}  // namespace mirror::daemon
