// From the events of a JSON parser to a page.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/json/error.hpp>

#include "core/copernica/envelope.hpp"
#include "core/copernica/page.hpp"
#include "core/copernica/page_limits.hpp"
#include "core/copernica/page_query.hpp"
#include "core/copernica/record_builder.hpp"
#include "core/util/canonical_json.hpp"
#include "core/util/decimal.hpp"
#include "core/util/secrets.hpp"

namespace mirror::copernica {

namespace json = boost::json;

/// What the parser reports, in the order of the text. The names are Boost.JSON's. It is all in the
/// header so that the parser can be compiled with it, without a call for each event.
class PageEvents {
  public:
    using error_code = json::error_code;
    using Kind = RecordBuilder::Kind;

    // Our own limits are checked below, as they are part of the decoder's parameters.
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

    explicit PageEvents(const PageLimits& limits) : limits_(limits) {}

    /// Forgets what there is and begins a page. `mask`, if not null, is replaced in all texts.
    void begin(const Stream& stream, const Secrets* mask, std::shared_ptr<TextPool> entries,
               const Privacy& privacy) {
        page_ = Page();
        entries_ = std::move(entries);
        page_.entries = entries_;
        record_.begin_page(stream, mask, privacy);
        at_ = At::top;
        skipped_levels_ = 0;
        data_seen_ = false;
        rejects_counted_ = 0;
        reject_bytes_ = 0;
        text_.clear();
        nested_.clear();
        failure_ = nullptr;
        error_.reset();
        is_message_ = false;
    }

    /// Why a callback said no; null if none did.
    const char* failure() const { return failure_; }
    bool data_seen() const { return data_seen_; }
    /// The message of the reply's `error`, in the API's form {"message": …} or another one, empty
    /// if it has none; nothing if the reply does not report an error. If it does, the rest of the
    /// reply must be ignored.
    const std::optional<std::string>& error() const { return error_; }

    Page take() {
        record_.end_page(page_);
        entries_.reset();
        return std::move(page_);
    }

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }

    bool on_object_begin(error_code& ec) {
        switch (at_) {
            case At::top:
                at_ = At::envelope;
                return true;
            case At::envelope:
                return skip_level(ec);
            case At::skipped:
                ++skipped_levels_;
                return true;
            case At::data:
                at_ = At::record;
                record_.begin();
                return may_add_record(ec);
            case At::record:
                begin_nested(At::record);
                break;
            case At::nested:
                break;
        }
        nested_.begin_object();
        return fits(ec);
    }

    bool on_object_end(std::size_t, error_code& ec) {
        switch (at_) {
            case At::envelope:
                at_ = At::top;
                return true;
            case At::record:
                at_ = At::data;
                record_.finish(page_, *entries_);
                return rejects_fit(ec);
            case At::nested:
                nested_.end_object();
                return nested_ended(ec);
            default:
                return leave_skipped_level();
        }
    }

    bool on_array_begin(error_code& ec) {
        switch (at_) {
            case At::top:
                return fail("the reply is not a JSON object", ec);
            case At::envelope:
                if (envelope_field_ != EnvelopeField::data) {
                    return skip_level(ec);
                }
                if (data_seen_) {
                    return fail("the reply has two fields \"data\"", ec);
                }
                data_seen_ = true;
                at_ = At::data;
                page_.rows.reserve(std::min<std::uint64_t>(page_.count.value_or(0), most_reserved));
                return true;
            case At::skipped:
                ++skipped_levels_;
                return true;
            case At::data:
                if (!may_add_record(ec)) {
                    return false;
                }
                begin_nested(At::data);
                break;
            case At::record:
                begin_nested(At::record);
                break;
            case At::nested:
                break;
        }
        nested_.begin_array();
        return fits(ec);
    }

    bool on_array_end(std::size_t, error_code& ec) {
        switch (at_) {
            case At::data:
                at_ = At::envelope;
                return true;
            case At::nested:
                nested_.end_array();
                return nested_ended(ec);
            default:
                return leave_skipped_level();
        }
    }

    bool on_key_part(json::string_view piece, std::size_t, error_code& ec) {
        return add_part(piece, ec);
    }

    bool on_key(json::string_view piece, std::size_t, error_code& ec) {
        const std::string_view key = whole(piece);
        if (key.size() > limits_.text_bytes) {
            return text_too_long(ec);
        }
        if (at_ == At::record) {
            record_.key(key);
        } else if (at_ == At::nested) {
            nested_.key(key);
        } else if (at_ == At::envelope) {
            envelope_field_ = envelope_field_of(key);
        } else if (at_ == At::skipped) {
            is_message_ = key == "message";
        }
        text_.clear();
        return fits(ec);
    }

    bool on_string_part(json::string_view piece, std::size_t, error_code& ec) {
        return add_part(piece, ec);
    }
    bool on_string(json::string_view piece, std::size_t, error_code& ec) {
        return on_scalar(Kind::string, whole(piece), ec);
    }

    bool on_number_part(json::string_view piece, error_code& ec) { return add_part(piece, ec); }
    bool on_int64(std::int64_t, json::string_view piece, error_code& ec) {
        return on_scalar(Kind::number, whole(piece), ec);
    }
    bool on_uint64(std::uint64_t, json::string_view piece, error_code& ec) {
        return on_scalar(Kind::number, whole(piece), ec);
    }
    bool on_double(double, json::string_view piece, error_code& ec) {
        return on_scalar(Kind::number, whole(piece), ec);
    }

    bool on_bool(bool value, error_code& ec) {
        return on_scalar(Kind::literal, value ? "true" : "false", ec);
    }
    bool on_null(error_code& ec) { return on_scalar(Kind::null, "null", ec); }

    // Comments are not JSON; the parser refuses them.
    bool on_comment_part(json::string_view, error_code&) { return true; }
    bool on_comment(json::string_view, error_code&) { return true; }

  private:
    enum class At {
        top,       // outside of the envelope
        envelope,  // in the outermost object
        skipped,   // in an array or object in the envelope that we do not know
        data,      // in the array of records
        record,    // in a record
        nested,    // in an array or object that is a field of a record, or stands for a record
    };
    // Room is made at once for as many rows as the reply announces, within reason.
    static constexpr std::uint64_t most_reserved = largest_page;

    bool fail(const char* why, error_code& ec) {
        failure_ = why;
        ec = json::error::exception;  // never shown: failure_ is
        return false;
    }

    bool text_too_long(error_code& ec) { return fail("a text in the reply is too long", ec); }

    // A text comes in pieces if it has escapes, or if the bytes came in pieces.
    bool add_part(json::string_view piece, error_code& ec) {
        text_.append(piece.data(), piece.size());
        return text_.size() <= limits_.text_bytes || text_too_long(ec);
    }

    std::string_view whole(json::string_view piece) {
        if (text_.empty()) {
            return {piece.data(), piece.size()};
        }
        text_.append(piece.data(), piece.size());
        return text_;
    }

    bool may_add_record(error_code& ec) {
        return record_.records(page_) < limits_.records ||
               fail("the reply has too many records", ec);
    }

    // Rejects are kept in full, each more than once: many large ones are not records that went
    // wrong.
    bool rejects_fit(error_code& ec) {
        for (; rejects_counted_ < page_.rejects.size(); ++rejects_counted_) {
            const Reject& reject = page_.rejects[rejects_counted_];
            reject_bytes_ += reject.record.size() + reject.reason.size() +
                             (reject.timestamp ? reject.timestamp->size() : 0);
        }
        return reject_bytes_ + record_.pending_bytes() <= limits_.reject_bytes ||
               fail("the unusable records in the reply are too large", ec);
    }

    bool fits(error_code& ec) {
        return (at_ != At::record && at_ != At::nested) ||
               record_.size() + nested_.size() <= limits_.record_bytes ||
               fail("a record in the reply is too large", ec);
    }

    bool skip_level(error_code& ec) {
        if (envelope_field_ == EnvelopeField::data) {
            return fail("\"data\" in the reply is not an array", ec);
        }
        at_ = At::skipped;
        skipped_levels_ = 1;
        is_message_ = false;
        return true;
    }

    bool leave_skipped_level() {
        if (--skipped_levels_ == 0) {
            at_ = At::envelope;
        }
        return true;
    }

    void begin_nested(At inside) {
        nested_inside_ = inside;
        nested_.clear();
        at_ = At::nested;
    }

    bool nested_ended(error_code& ec) {
        if (!fits(ec)) {
            return false;
        }
        if (nested_.complete()) {
            at_ = nested_inside_;
            if (at_ == At::record) {
                record_.value(Kind::literal, nested_.text());
            } else {
                record_.reject_value(page_, nested_.text());
            }
            nested_.clear();
        }
        return rejects_fit(ec);
    }

    bool on_scalar(Kind kind, std::string_view text, error_code& ec) {
        const bool good =
            text.size() > limits_.text_bytes ? text_too_long(ec) : place_scalar(kind, text, ec);
        text_.clear();
        return good && fits(ec);
    }

    bool place_scalar(Kind kind, std::string_view text, error_code& ec) {
        switch (at_) {
            case At::record:
                record_.value(kind, text);
                return true;
            case At::nested:
                write_to(nested_, kind, text);
                return true;
            case At::data:
                if (!may_add_record(ec)) {
                    return false;
                }
                nested_.clear();
                write_to(nested_, kind, text);
                record_.reject_value(page_, nested_.text());
                nested_.clear();
                return rejects_fit(ec);
            case At::envelope:
                return set_envelope_field(kind, text, ec);
            case At::top:
                return fail("the reply is not a JSON object", ec);
            case At::skipped:
                if (envelope_field_ == EnvelopeField::error && kind != Kind::null) {
                    note_error(is_message_ ? text : "");
                }
                return true;
        }
        return true;
    }

    static void write_to(CanonicalJson& to, Kind kind, std::string_view text) {
        if (kind == Kind::string) {
            to.string(text);
        } else {
            to.json(text);
        }
    }

    // The first text is the message.
    void note_error(std::string_view text) {
        if (!error_ || error_->empty()) {
            error_.emplace(text);
        }
    }

    bool set_envelope_field(Kind kind, std::string_view text, error_code& ec) {
        if (envelope_field_ == EnvelopeField::data) {
            return fail("\"data\" in the reply is not an array", ec);
        }
        if (envelope_field_ == EnvelopeField::error && kind != Kind::null && !text.empty() &&
            text != "false" && text != "0") {
            note_error(text);
        }
        const bool may_be_number = kind == Kind::string || kind == Kind::number;
        set_field(page_, envelope_field_,
                  may_be_number ? read_decimal<std::uint64_t>(text) : std::nullopt);
        return true;
    }

    PageLimits limits_;
    Page page_;
    At at_ = At::top;
    EnvelopeField envelope_field_ = EnvelopeField::unknown;
    std::size_t skipped_levels_ = 0;
    std::optional<std::string> error_;
    bool is_message_ = false;  // what comes in an object that is skipped
    bool data_seen_ = false;
    std::size_t rejects_counted_ = 0;
    std::size_t reject_bytes_ = 0;  // of those that are counted
    std::string text_;              // of a key, string or number that comes in pieces
    RecordBuilder record_;
    CanonicalJson nested_;
    At nested_inside_ = At::record;
    std::shared_ptr<TextPool> entries_;
    const char* failure_ = nullptr;
};

}  // namespace mirror::copernica
