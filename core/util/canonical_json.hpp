// JSON text with sorted keys, written value by value.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mirror {

/// Appends `text` as a JSON string. `text` is UTF-8; only what must be escaped is.
void append_json_string(std::string& to, std::string_view text);

/// Writes one JSON value. Objects come out with their keys sorted by bytes; of equal keys the
/// last one stays. Its memory is kept for the next value.
class CanonicalJson {
  public:
    void begin_object();
    void end_object();
    void begin_array();
    void end_array();

    /// Of the value that follows, in an object.
    void key(std::string_view key);
    void string(std::string_view text);

    /// A value that is JSON already: a number, `true`, another CanonicalJson's text.
    void json(std::string_view text);

    /// True if all that was begun has ended.
    bool complete() const { return frames_.empty(); }

    /// The value; valid until the next one begins.
    std::string_view text() const { return text_; }

    /// Bytes that the value takes while it is written.
    std::size_t size() const { return text_.size() + members_.size() * sizeof(Member); }

    void clear();

  private:
    struct Frame {
        bool object = false;
        std::size_t begin = 0;         // of its text
        std::size_t first_member = 0;  // its members' place in members_
    };
    // Offsets in text_, where a member of an open object is its bare key and then its value.
    struct Member {
        std::size_t key = 0;
        std::size_t value = 0;
        std::size_t end = 0;
    };

    void before_value();
    void after_value();
    std::string_view key_of(const Member& member) const;

    std::string text_;
    std::string sorted_;
    std::vector<Frame> frames_;
    std::vector<Member> members_;
};

}  // namespace mirror
