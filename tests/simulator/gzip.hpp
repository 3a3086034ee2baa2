// Compression of replies.
#pragma once

#include <string>
#include <string_view>

namespace simulator {

/// `text` as one gzip member, at the fastest level. Throws std::runtime_error.
std::string gzip(std::string_view text);

/// A gzip stream without its end: `begin`, then `piece` as often as one likes.
struct GzipBomb {
    std::string begin;
    std::string piece;
};

/// One that decodes to `head` and `unit`, `unit`, `unit`, … A unit of a megabyte of the same byte
/// makes a piece of a kilobyte.
GzipBomb gzip_bomb(std::string_view head, std::string_view unit);

}  // namespace simulator
