// A text that must never be shown: the access token.
#pragma once

#include <string>
#include <string_view>

namespace mirror {

/// Holds the token. It cannot be printed by mistake: no stream operator, no conversion;
/// whoever needs the text says so.
class Secret {
  public:
    explicit Secret(std::string text);

    const std::string& reveal() const { return text_; }

    /// `text` with every occurrence of the secret replaced: for texts that come from the server,
    /// which may say to us what we said to it. Each character may stand there as it is, or encoded
    /// as in a URL or in JSON.
    std::string redact(std::string_view text) const;

    /// Whether the secret stands in the text, and not by chance: false for one of fewer than 12
    /// characters, which would cost a row its true value. Cheap: it is asked of every text of every
    /// row.
    bool occurs_in(std::string_view text) const;

  private:
    bool cannot_be_in(std::string_view text) const;

    std::string text_;
    std::string core_;  // the longest part that looks the same however the secret is encoded
};

}  // namespace mirror
