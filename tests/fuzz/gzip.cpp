// Inflate, fed in pieces, against zlib in one call.
#include <algorithm>
#include <optional>
#include <string>

#include <zlib.h>

#include "core/http/inflate.hpp"
#include "core/http/string_sink.hpp"
#include "tests/fuzz/target.hpp"

namespace mirror::fuzz {
namespace {

constexpr std::size_t limit = std::size_t{256} << 10;

// Nothing if the input is not one whole gzip stream, or holds more than the limit.
std::optional<std::string> in_one_call(std::string_view input) {
    z_stream z{};
    require(inflateInit2(&z, 15 + 16) == Z_OK, "zlib does not start");
    std::string bytes(input);
    std::string out(limit + 1, '\0');
    z.next_in = reinterpret_cast<Bytef*>(bytes.data());
    z.avail_in = static_cast<uInt>(bytes.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    const int result = inflate(&z, Z_FINISH);
    const bool whole = result == Z_STREAM_END && z.avail_in == 0 && z.total_out <= limit;
    out.resize(z.total_out);
    inflateEnd(&z);
    return whole ? std::optional(out) : std::nullopt;
}

std::optional<std::string> in_pieces(std::string_view input, std::size_t piece) {
    http::StringSink out(limit);
    http::Inflate inflate(out, limit);
    try {
        for (std::size_t at = 0; at < input.size(); at += piece) {
            inflate.feed(input.substr(at, piece));
        }
        inflate.finish();
    } catch (const http::BadBody&) {
        return std::nullopt;
    }
    return out.text();
}

}  // namespace

void gzip(std::string_view input) {
    const std::optional<std::string> expected = in_one_call(input);
    require(in_pieces(input, input.size() + 1) == expected, "not what zlib makes of it");
    require(in_pieces(input, 1 + number_of(input) % 61) == expected, "not that, in pieces");
}

}  // namespace mirror::fuzz
