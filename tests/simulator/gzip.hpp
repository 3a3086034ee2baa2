// Compression of replies.
#pragma once

#include <string>
#include <string_view>

namespace simulator {

/// `text` as one gzip member, at the fastest level. Throws std::runtime_error.
std::string gzip(std::string_view text);

}  // namespace simulator
