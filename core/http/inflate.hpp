// gzip, undone piece by piece.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "core/http/body_sink.hpp"

namespace mirror::http {

/// Decodes one gzip stream into the next sink. Throws BadBody if it is none, if its
/// checksum or length is wrong, if anything comes after its trailer, if the trailer is not
/// complete at finish(), and as soon as more than `limit` bytes come out of it.
class Inflate final : public BodySink {
  public:
    Inflate(BodySink& next, std::size_t limit);
    ~Inflate() override;
    Inflate(const Inflate&) = delete;
    Inflate& operator=(const Inflate&) = delete;

    void feed(std::string_view piece) override;

    /// Finishes the next sink, too.
    void finish() override;

  private:
    struct Stream;
    BodySink& next_;
    std::size_t left_;
    bool ended_ = false;
    std::unique_ptr<Stream> stream_;
};

}  // namespace mirror::http
