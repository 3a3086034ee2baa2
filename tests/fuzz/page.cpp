// The page decoder against the slow and simple way: Boost.JSON's document, read field by field.
#include <array>
#include <optional>
#include <string>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "core/copernica/page_decoder.hpp"
#include "core/time/text.hpp"
#include "tests/fuzz/page_text.hpp"
#include "tests/fuzz/target.hpp"
#include "tests/support/impression.hpp"

namespace mirror::fuzz {
namespace {

namespace json = boost::json;

struct Decoded {
    std::optional<copernica::Page> page;
    std::string why_not;
};

Decoded decode(std::string_view body, std::size_t piece) {
    Decoded result;
    copernica::PageDecoder decoder;
    try {
        decoder.begin(*find_stream("impressions"));
        for (std::size_t at = 0; at < body.size(); at += piece) {
            decoder.feed(body.substr(at, piece));
        }
        decoder.finish();
        result.page = decoder.take();
    } catch (const http::BadBody& bad) {
        result.why_not = bad.what();
    }
    return result;
}

json::value parse(std::string_view text) {
    json::parse_options options;
    options.max_depth = static_cast<std::size_t>(copernica::PageLimits{}.depth);
    return json::parse({text.data(), text.size()}, {}, options);
}

// Null if the body cannot be a page.
std::optional<json::object> document(std::string_view body) {
    try {
        const json::value value = parse(body);
        if (value.is_object() && value.get_object().if_contains("data") != nullptr &&
            value.get_object().at("data").is_array()) {
            return value.get_object();
        }
    } catch (const boost::system::system_error&) {
    }
    return std::nullopt;
}

template <class Integer>
std::optional<Integer> integer(const json::value& value) {
    if (const auto* const small = value.if_int64()) {
        return *small < 0 && !std::is_signed_v<Integer>
                   ? std::nullopt
                   : std::optional<Integer>(static_cast<Integer>(*small));
    }
    if (const auto* const large = value.if_uint64()) {  // more than an int64 holds
        return std::is_signed_v<Integer> ? std::nullopt
                                         : std::optional<Integer>(static_cast<Integer>(*large));
    }
    if (const auto* const text = value.if_string()) {
        const std::string digits(text->data(), text->size());
        try {
            Integer number{};
            if constexpr (std::is_signed_v<Integer>) {
                number = std::stoll(digits);
            } else {
                number = std::stoull(digits);
            }
            if (std::to_string(number) == digits) {
                return number;
            }
        } catch (const std::exception&) {
        }
    }
    return std::nullopt;
}

// The document does not know whether a zero was written "-0", which is not a number to us.
bool is_zero(const json::value& value) {
    return value.if_int64() != nullptr && value.get_int64() == 0;
}

void check_keys_sorted(const json::value& value) {
    if (const json::object* const object = value.if_object()) {
        std::optional<std::string> last;
        for (const auto& member : *object) {
            const std::string key(member.key().data(), member.key().size());
            require(!last || *last < key, "keys are not sorted");
            last = key;
            check_keys_sorted(member.value());
        }
    } else if (const json::array* const array = value.if_array()) {
        for (const json::value& element : *array) {
            check_keys_sorted(element);
        }
    }
}

// Takes a field out of the record; what stays in it must be in `extra`.
void take_integer(json::object& record, const char* name, const std::optional<std::int64_t>& got) {
    const json::value* const field = record.if_contains(name);
    const auto expected = field == nullptr ? std::nullopt : integer<std::int64_t>(*field);
    require(got == expected || (!got && field != nullptr && is_zero(*field)),
            std::string("another value of ") + name);
    if (field != nullptr && (got || field->is_null())) {
        record.erase(name);
    }
}

void take_text(json::object& record, const char* name, const std::optional<std::string_view>& got) {
    const json::value* const field = record.if_contains(name);
    const json::string* const expected = field == nullptr ? nullptr : field->if_string();
    require(got.has_value() == (expected != nullptr) &&
                (!got || *got == std::string_view(expected->data(), expected->size())),
            std::string("another value of ") + name);
    if (field != nullptr && (got || field->is_null())) {
        record.erase(name);
    }
}

void compare_row(json::object record, const tests::Impression& row) {
    take_integer(record, "ID", row.id);
    take_integer(record, "mailing", row.mailing);
    take_integer(record, "destination", row.destination);
    take_integer(record, "profile", row.profile);
    take_integer(record, "subprofile", row.subprofile);
    take_text(record, "timestamp", std::optional<std::string_view>(format_local(row.time)));
    take_text(record, "ip", row.ip);
    take_text(record, "useragent", row.useragent);
    take_text(record, "device", row.device);
    require(row.extra.has_value() == !record.empty(), "extra is there, or is not, wrongly");
    if (row.extra) {
        const json::value extra = parse(*row.extra);
        require(extra == json::value(record), "extra is not the rest of the record");
        check_keys_sorted(extra);
    }
}

bool is_row(const json::value& record) {
    const json::object* const object = record.if_object();
    const json::value* const id = object == nullptr ? nullptr : object->if_contains("ID");
    const json::value* const time = object == nullptr ? nullptr : object->if_contains("timestamp");
    return id != nullptr && integer<std::int64_t>(*id).value_or(0) > 0 && time != nullptr &&
           time->is_string() &&
           parse_local({time->get_string().data(), time->get_string().size()}).has_value();
}

void compare_envelope(const json::object& envelope, const char* name,
                      const std::optional<std::uint64_t>& got) {
    const json::value* const field = envelope.if_contains(name);
    const auto expected = field == nullptr ? std::nullopt : integer<std::uint64_t>(*field);
    require(got == expected || (!got && field != nullptr && is_zero(*field)),
            std::string("another value of ") + name);
}

void compare(const json::object& envelope, const copernica::Page& page) {
    compare_envelope(envelope, "start", page.start);
    compare_envelope(envelope, "limit", page.limit);
    compare_envelope(envelope, "count", page.count);
    compare_envelope(envelope, "total", page.total);
    const json::array& data = envelope.at("data").get_array();
    require(page.records() == data.size(), "another number of records");
    std::size_t rows = 0;
    std::size_t rejects = 0;
    for (std::size_t at = 0; at < data.size(); ++at) {
        if (is_row(data[at])) {
            require(rows < page.rows.size(), "a row was rejected");
            compare_row(data[at].get_object(), tests::impression_of(page.rows[rows++]));
            continue;
        }
        require(rejects < page.rejects.size(), "a reject became a row");
        const Reject& reject = page.rejects[rejects++];
        require(reject.position == at, "a reject stands in another place");
        const json::value record = parse(reject.record);
        require(record == data[at], "a reject's record is another one");
        check_keys_sorted(record);
    }
}

}  // namespace

void page(std::string_view input) {
    const Decoded whole = decode(input, input.size() + 1);
    const Decoded pieces = decode(input, 1 + number_of(input) % 97);
    require(whole.page.has_value() == pieces.page.has_value(), "pieces decide what is a page");
    const std::optional<json::object> envelope = document(input);
    if (!whole.page) {
        // Of fields that come twice the document shows the last one alone.
        const bool two_of_them = whole.why_not.find("two fields") != std::string::npos ||
                                 whole.why_not.find("not an array") != std::string::npos;
        require(!envelope || two_of_them, "refused, but Boost.JSON reads it: " + whole.why_not);
        return;
    }
    require(envelope.has_value(), "Boost.JSON does not read it");
    require(text_of(*whole.page) == text_of(*pieces.page), "pieces change the page");
    check_rows(*whole.page);
    compare(*envelope, *whole.page);
}

}  // namespace mirror::fuzz
