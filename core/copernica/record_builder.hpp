// One record of a page, from its fields to a row or a reject.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/copernica/page.hpp"
#include "core/copernica/record_keys.hpp"
#include "core/record/privacy.hpp"
#include "core/record/row.hpp"
#include "core/record/stream.hpp"
#include "core/record/text_pool.hpp"
#include "core/util/canonical_json.hpp"
#include "core/util/secrets.hpp"

namespace mirror::copernica {

/// Takes a record's fields in any order and adds the record to a page. A field that comes twice
/// counts as it came last. Its buffers are kept from record to record.
///
/// An ID or a timestamp in another plain form (plain_forms.hpp; an ID may also stand under "id" or
/// "ID") is read if no record of the page has the usual one: then the API writes them so. Beside
/// usual ones it would be a guess, and such a record is a reject.
class RecordBuilder {
  public:
    enum class Kind : std::uint8_t {
        absent,
        null,
        string,   ///< the text is what the string says
        number,   ///< the text is the number as the API wrote it
        literal,  ///< `true`, `false`, or an array or object: the text is canonical JSON
    };

    /// Before the first record of a page. `mask`, if not null, is replaced in all texts, and what
    /// `privacy` does not keep is in none.
    void begin_page(const Stream& stream, const Secrets* mask, const Privacy& privacy);
    /// After the last: adds what could not be judged before.
    void end_page(Page& page);

    void begin();

    /// The field that the next value belongs to.
    void key(std::string_view key);
    void value(Kind kind, std::string_view text);

    /// Bytes that the record takes.
    std::size_t size() const { return text_.size() + unknown_.size() * sizeof(Unknown); }

    /// Adds the record to `page`, as a row or as a reject; some are added by end_page() only. The
    /// texts of dictionaries are kept in `entries`.
    void finish(Page& page, TextPool& entries);

    /// Adds to `page` what stands in a record's place but is not an object.
    void reject_value(Page& page, std::string_view json);

    /// Records so far, with those that end_page() will add; and the bytes that these take.
    std::size_t records(const Page& page) const { return page.records() + pending_.size(); }
    std::size_t pending_bytes() const { return pending_bytes_; }

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
    /// What makes a record a row.
    struct Identifiers {
        std::optional<std::int64_t> id;
        std::optional<LocalTime> time;
        bool plain_id = false;    // not in the usual form
        bool plain_time = false;  // the same
        bool is_usual() const { return id && time && !plain_id && !plain_time; }
    };
    /// A record that is a row or a reject, as the rest of the page will show.
    struct Pending {
        Identifiers found;
        std::string form;  // of what is unusual, for people
        Row row;
        Reject reject;
    };

    std::string_view text(const Value& value) const;
    static bool is_null_or_absent(const Value& value);
    static bool is_text(const Value& value);
    std::optional<std::int64_t> integer(const Value& value) const;
    std::optional<std::string_view> text_for(FieldKind kind, const Value& value) const;
    Identifiers read_identifiers() const;
    const Unknown* id_under_other_key() const;
    bool is_accepted(const Identifiers& found) const;
    std::string unusual_form(const Identifiers& found);
    Row row_of(const Identifiers& found, Page& page, TextPool& entries);
    Reject reject_of(const Identifiers& found, const Page& page);
    std::string_view keep(std::string_view text, Page& page) const;
    std::string_view keep_entry(std::string_view text, TextPool& entries) const;
    void mask(Reject& reject) const;
    void place(Value& value, const Field& field, Row& row, Page& page, TextPool& entries);
    void place(std::string_view text, const Field& field, Row& row, Page& page,
               TextPool& entries) const;
    void place_nested(Value& value, const RecordKeys::Key& key, Row& row, Page& page);
    void write(const Value& value);
    std::string shown(const Value& value);
    std::string_view whole_record();
    std::string_view extra();
    std::string kept_json(std::string_view json) const;

    RecordKeys keys_;
    std::vector<Value> known_;  // for each of keys_
    std::vector<Unknown> unknown_;
    std::string text_;
    std::size_t current_ = 0;
    CanonicalJson json_;

    // Of the page at hand.
    const Secrets* mask_ = nullptr;
    Privacy privacy_;
    bool any_usual_id_ = false;
    bool any_usual_time_ = false;
    std::vector<Pending> pending_;
    std::size_t pending_bytes_ = 0;
};

}  // namespace mirror::copernica
