// The page decoder against the slow and simple way: Boost.JSON's document, read field by field.
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

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

// What a record says of its ID and its time, and whether in the usual form.
struct Identifiers {
    std::optional<std::int64_t> id;
    bool usual_id = true;
    bool perhaps_id = false;  // a fraction, of which the document does not know how it was written
    std::optional<LocalTime> time;
    bool usual_time = true;
};

std::string string_of(const json::value& text) {
    return {text.get_string().data(), text.get_string().size()};
}

bool are_digits(const std::string& text, char most) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [most](char c) { return '0' <= c && c <= most; });
}

std::string without_spaces_around(std::string text) {
    const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
    while (!text.empty() && is_space(text.back())) {
        text.pop_back();
    }
    text.erase(text.begin(), std::find_if_not(text.begin(), text.end(), is_space));
    return text;
}

std::optional<std::int64_t> plain_id(std::string text) {
    text = without_spaces_around(text);
    if (!text.empty() && text.front() == '+') {
        text.erase(0, 1);
    }
    const std::size_t point = text.find('.');
    if (point != std::string::npos && !are_digits(text.substr(point + 1), '0')) {
        return std::nullopt;
    }
    text = text.substr(0, point);
    if (!are_digits(text, '9')) {
        return std::nullopt;
    }
    while (text.size() > 1 && text.front() == '0') {
        text.erase(0, 1);
    }
    const auto id = integer<std::int64_t>(json::string(text));
    return id && *id > 0 ? id : std::nullopt;
}

std::optional<LocalTime> plain_time(std::string text) {
    constexpr std::size_t to_the_second = 19;
    text = without_spaces_around(text);
    const std::string rest = text.substr(std::min(text.size(), to_the_second));
    const bool is_fraction = rest.empty() || (rest[0] == '.' && are_digits(rest.substr(1), '9'));
    if (text.size() < to_the_second || (text[10] != 'T' && text[10] != ' ') || !is_fraction) {
        return std::nullopt;
    }
    text[10] = ' ';
    return parse_local(text.substr(0, to_the_second));
}

void read_plain_id(const json::value& value, Identifiers& found) {
    found.usual_id = false;
    if (const auto whole = integer<std::int64_t>(value); whole && *whole > 0) {
        found.id = whole;
    } else if (const double* const number = value.if_double()) {
        constexpr double too_large = 9e18;
        if (*number >= 1 && *number < too_large && std::floor(*number) == *number) {
            found.id = static_cast<std::int64_t>(*number);
            found.perhaps_id = true;
        }
    } else if (value.is_string()) {
        found.id = plain_id(string_of(value));
    }
}

Identifiers identifiers_of(const json::value& value) {
    Identifiers found;
    const json::object* const record = value.if_object();
    if (record == nullptr) {
        return found;
    }
    const json::value* const id = record->if_contains("ID");
    const json::value* const other = record->if_contains("id");
    if (id != nullptr && !id->is_null()) {
        found.id = integer<std::int64_t>(*id);
        if (found.id.value_or(0) <= 0) {
            found.id.reset();
            read_plain_id(*id, found);
        }
    } else if (other != nullptr) {
        read_plain_id(*other, found);
    }
    const json::value* const time = record->if_contains("timestamp");
    if (time != nullptr && time->is_string()) {
        found.time = parse_local(string_of(*time));
        if (!found.time) {
            found.time = plain_time(string_of(*time));
            found.usual_time = false;
        }
    }
    return found;
}

void compare_row(json::object record, const Identifiers& found, const tests::Impression& row) {
    require(row.id == found.id, "another ID");
    require(row.time == found.time, "another time");
    // What is not in the usual form is kept as it came, too.
    if (found.usual_id || (record.contains("ID") && record.at("ID").is_null())) {
        record.erase("ID");
    }
    if (found.usual_time) {
        record.erase("timestamp");
    }
    take_integer(record, "mailing", row.mailing);
    take_integer(record, "destination", row.destination);
    take_integer(record, "profile", row.profile);
    take_integer(record, "subprofile", row.subprofile);
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
    std::vector<Identifiers> all(data.size());
    std::transform(data.begin(), data.end(), all.begin(), identifiers_of);
    // Another form counts only if no record has the usual one.
    const bool any_usual_id = std::any_of(all.begin(), all.end(), [](const Identifiers& found) {
        return found.id && found.usual_id;
    });
    const bool any_usual_time = std::any_of(all.begin(), all.end(), [](const Identifiers& found) {
        return found.time && found.usual_time;
    });
    std::size_t rows = 0;
    std::size_t rejects = 0;
    for (std::size_t at = 0; at < data.size(); ++at) {
        const Identifiers& found = all[at];
        const bool rejected = rejects < page.rejects.size() && page.rejects[rejects].position == at;
        const bool is_row = found.id && found.time && (found.usual_id || !any_usual_id) &&
                            (found.usual_time || !any_usual_time);
        if (is_row && !(rejected && found.perhaps_id)) {
            require(rows < page.rows.size(), "a row was rejected");
            compare_row(data[at].get_object(), found, tests::impression_of(page.rows[rows++]));
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
