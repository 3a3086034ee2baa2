#include "tests/simulator/gzip.hpp"

#include <stdexcept>

#include <zlib.h>

namespace simulator {
namespace {

constexpr int gzip_window = MAX_WBITS + 16;  // zlib's way to ask for gzip's header and trailer
constexpr int memory_level = 8;

// What deflate() makes of all of `text`.
std::string deflated(z_stream& stream, std::string_view text, int flush) {
    // A flush takes a few bytes more than deflateBound() returns.
    std::string out(deflateBound(&stream, static_cast<uLong>(text.size())) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int result = deflate(&stream, flush);
    if (result != (flush == Z_FINISH ? Z_STREAM_END : Z_OK) || stream.avail_in != 0) {
        throw std::runtime_error("zlib failed to compress");
    }
    out.resize(out.size() - stream.avail_out);
    return out;
}

}  // namespace

GzipBomb gzip_bomb(std::string_view head, std::string_view unit) {
    z_stream stream{};
    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, gzip_window, memory_level,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        throw std::runtime_error("zlib cannot compress");
    }
    GzipBomb bomb;
    // After a full flush nothing refers to what was before: so a piece may be repeated.
    bomb.begin = deflated(stream, head, Z_FULL_FLUSH);
    bomb.piece = deflated(stream, unit, Z_FULL_FLUSH);
    deflateEnd(&stream);
    return bomb;
}

std::string gzip(std::string_view text) {
    z_stream stream{};
    if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, gzip_window, memory_level,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        throw std::runtime_error("zlib cannot compress");
    }
    std::string compressed = deflated(stream, text, Z_FINISH);
    deflateEnd(&stream);
    return compressed;
}

}  // namespace simulator
