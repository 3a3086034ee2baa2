// A text that must never be shown: the access token.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace mirror::api {

/// Holds the token. There is no way to print it by mistake: no stream operator, no conversion;
/// whoever needs the text says so.
class Secret {
  public:
    explicit Secret(std::string text) : text_(std::move(text)) {}

    const std::string& reveal() const { return text_; }

    /// `text` with every occurrence of the secret replaced: as it is, and with any of its
    /// characters percent-encoded, in whichever case, or "+" for a space. For texts that come from
    /// the server, which may say to us what we said to it, in its own spelling.
    std::string redact(std::string_view text) const;

  private:
    std::string text_;
};

}  // namespace mirror::api
