#include "core/http/inflate.hpp"

#include <array>
#include <new>

#include <zlib.h>

namespace mirror::http {

struct Inflate::Stream {
    Stream() {
        // 15 bits of window, and 16 for "gzip and nothing else".
        if (inflateInit2(&z, 15 + 16) != Z_OK) {
            throw std::bad_alloc();
        }
    }
    ~Stream() { inflateEnd(&z); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    z_stream z{};
    std::array<char, std::size_t{64} * 1024> out;
};

Inflate::Inflate(BodySink& next, std::size_t limit)
    : next_(next), left_(limit), stream_(std::make_unique<Stream>()) {}

Inflate::~Inflate() = default;

void Inflate::feed(std::string_view piece) {
    z_stream& z = stream_->z;
    // zlib does not write to its input; its type is older than const.
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
    z.avail_in = static_cast<uInt>(piece.size());
    bool full = false;  // the output was filled: there may be more to come without more input
    while (z.avail_in > 0 || full) {
        if (ended_) {
            throw BadBody("something follows the end of the gzip stream");
        }
        z.next_out = reinterpret_cast<Bytef*>(stream_->out.data());
        z.avail_out = static_cast<uInt>(stream_->out.size());
        const int result = inflate(&z, Z_NO_FLUSH);
        if (result == Z_MEM_ERROR) {
            throw std::bad_alloc();
        }
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
            throw BadBody("the gzip stream is damaged");
        }
        const std::size_t decoded = stream_->out.size() - z.avail_out;
        if (decoded > left_) {
            throw BadBody("the body is too large once decoded",
                          BadBody::Kind::cut_off_or_too_large);
        }
        left_ -= decoded;
        ended_ = result == Z_STREAM_END;
        full = z.avail_out == 0 && !ended_;
        if (decoded > 0) {
            next_.feed({stream_->out.data(), decoded});
        }
    }
}

void Inflate::finish() {
    if (!ended_) {
        throw BadBody("the gzip stream is cut off", BadBody::Kind::cut_off_or_too_large);
    }
    next_.finish();
}

}  // namespace mirror::http
