// A small body as one text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/http/body_sink.hpp"

namespace mirror::http {

/// Keeps what comes, up to a limit; more throws BadBody, and what came before stays.
class StringSink final : public BodySink {
  public:
    explicit StringSink(std::size_t limit) : limit_(limit) {}

    void feed(std::string_view piece) override {
        if (piece.size() > limit_ - text_.size()) {
            throw BadBody("the reply is too large");
        }
        text_ += piece;
    }
    void finish() override {}

    const std::string& text() const { return text_; }

  private:
    std::size_t limit_;
    std::string text_;
};

}  // namespace mirror::http
