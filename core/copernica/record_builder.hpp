// One record of a page, from its fields to a row or a reject.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/copernica/page.hpp"
#include "core/copernica/repeated_texts.hpp"
#include "core/record/impression.hpp"
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
        literal,  ///< `true`, `false`, or an array or object: the text is JSON
    };

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
    enum Field : std::size_t {
        field_id,
        field_mailing,
        field_timestamp,
        field_ip,
        field_useragent,
        field_device,
        field_destination,
        field_profile,
        field_subprofile,
        field_count,  // as the place of a key: not one of these
    };
    struct Value {
        Kind kind = Kind::absent;
        std::size_t begin = 0;  // its text, in text_
        std::size_t length = 0;
    };
    struct Unknown {
        std::size_t key_begin = 0;
        std::size_t key_length = 0;
        Value value;
    };

    static constexpr std::array<std::string_view, field_count> names = {
        "ID",     "mailing",     "timestamp", "ip",        "useragent",
        "device", "destination", "profile",   "subprofile"};

    Field field_of(std::string_view key);
    std::string_view text(const Value& value) const;
    std::optional<std::int64_t> integer(Field field) const;
    std::optional<std::int64_t> integer_or_extra(Field field);
    std::optional<std::string_view> text_or_extra(Field field);
    bool is_null_or_absent(Field field) const;
    void write(const Value& value);
    std::string shown(Field field);
    std::string_view whole_record();

    std::array<Value, field_count> known_{};
    std::vector<Unknown> unknown_;
    std::string text_;
    Field current_ = field_count;
    std::array<Field, field_count + 1> after_{};  // which field came after which one last
    std::array<bool, field_count> extra_{};       // known fields of the wrong kind
    bool any_extra_ = false;
    CanonicalJson json_;
};

}  // namespace mirror::copernica
