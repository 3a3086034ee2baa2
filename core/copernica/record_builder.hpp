// One record of a page, from its fields to a row or a reject.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/copernica/page.hpp"
#include "core/copernica/record_keys.hpp"
#include "core/copernica/repeated_texts.hpp"
#include "core/record/row.hpp"
#include "core/record/stream.hpp"
#include "core/util/canonical_json.hpp"

namespace mirror::copernica {

/// Takes a record's fields in any order and adds the record to a page. A field that comes twice
/// counts as it came last. Its buffers are kept from record to record.
class RecordBuilder {
  public:
    enum class Kind : std::uint8_t {
        absent,
        null,
        string,   ///< the text is what the string says
        number,   ///< the text is the number as the API wrote it
        literal,  ///< `true`, `false`, or an array or object: the text is canonical JSON
    };

    /// To be called before the first record, and when another stream's records follow.
    void set_stream(const Stream& stream);

    void begin();

    /// The field that the next value belongs to.
    void key(std::string_view key);
    void value(Kind kind, std::string_view text);

    /// Bytes that the record takes.
    std::size_t size() const { return text_.size() + unknown_.size() * sizeof(Unknown); }

    /// Adds the record to `page`, as a row or as a reject.
    void finish(Page& page, RepeatedTexts& repeated);

    /// Adds to `page` what stands in a record's place but is not an object.
    static void reject_value(Page& page, std::string_view json);

  private:
    struct Value {
        Kind kind = Kind::absent;
        bool to_extra = false;  // known, but not what its field takes
        std::size_t begin = 0;  // its text, in text_
        std::size_t length = 0;
    };
    struct Unknown {
        std::size_t key_begin = 0;
        std::size_t key_length = 0;
        Value value;
    };

    std::string_view text(const Value& value) const;
    static bool is_null_or_absent(const Value& value);
    std::optional<std::int64_t> integer(const Value& value) const;
    std::optional<std::string_view> text_for(FieldKind kind, const Value& value) const;
    void reject(Page& page, std::optional<std::int64_t> id, std::optional<LocalTime> time);
    void place(Value& value, const Field& field, Row& row, Page& page, RepeatedTexts& repeated);
    void place_nested(Value& value, const RecordKeys::Key& key, Row& row, Page& page);
    void write(const Value& value);
    std::string shown(const Value& value);
    std::string_view whole_record();
    std::string_view extra();

    RecordKeys keys_;
    std::vector<Value> known_;  // for each of keys_
    std::vector<Unknown> unknown_;
    std::string text_;
    std::size_t current_ = 0;
    CanonicalJson json_;
};

}  // namespace mirror::copernica
