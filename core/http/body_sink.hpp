// Where the body of a reply goes, piece by piece.
#pragma once

#include <stdexcept>
#include <string_view>

namespace mirror::http {

/// A body that arrived but cannot be believed: not gzip, not JSON, too large. what() says why,
/// in one line for people.
class BadBody : public std::runtime_error {
  public:
    enum class Kind {
        wrong,
        cut_off_or_too_large,  ///< a smaller one might be right
    };

    explicit BadBody(const std::string& what, Kind kind = Kind::wrong)
        : std::runtime_error(what), kind_(kind) {}

    Kind kind() const { return kind_; }

  private:
    Kind kind_;
};

/// Takes a body incrementally. Nothing of it counts before finish() returned.
class BodySink {
  public:
    virtual ~BodySink() = default;

    /// The next piece, of any size. Throws BadBody.
    virtual void feed(std::string_view piece) = 0;

    /// No more pieces: the sender said that this was all. Throws BadBody if it cannot be.
    virtual void finish() = 0;
};

}  // namespace mirror::http
