#include "tests/bench/floor/parse.hpp"

#include <charconv>
#include <simdjson.h>
#include <stdexcept>

namespace floor_bench {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

std::optional<std::int64_t> number(const element& value) {
    switch (value.type()) {
        case element_type::INT64:
            return value.get_int64().value_unsafe();
        case element_type::STRING: {
            const std::string_view text = value.get_string().value_unsafe();
            std::int64_t result = 0;
            std::from_chars(text.data(), text.data() + text.size(), result);
            return result;
        }
        default:
            return std::nullopt;
    }
}

std::string_view text(const element& value) {
    return value.is_string() ? value.get_string().value_unsafe() : std::string_view();
}

}  // namespace

Rows parse(std::string& body, std::uint64_t* total) {
    static simdjson::dom::parser parser;
    body.reserve(body.size() + simdjson::SIMDJSON_PADDING);
    const element reply = parser.parse(body.data(), body.size(), false);
    if (total != nullptr) {
        *total = reply["total"].get_uint64();
    }
    Rows page;
    // The parser's texts go with its next body, so they are copied, once, without moving.
    page.texts.reserve(body.size());
    const auto keep = [&](std::string_view from) {
        const std::size_t at = page.texts.size();
        page.texts += from;
        return std::string_view(page.texts).substr(at);
    };
    page.rows.reserve(1000);
    for (const element record : simdjson::dom::array(reply["data"])) {
        Row& row = page.rows.emplace_back();
        for (const auto& [key, value] : simdjson::dom::object(record)) {
            if (key == "ID") {
                row.id = number(value).value_or(0);
            } else if (key == "mailing") {
                row.mailing = number(value);
            } else if (key == "timestamp") {
                row.timestamp = keep(text(value));
            } else if (key == "ip") {
                row.ip = keep(text(value));
            } else if (key == "useragent") {
                if (value.is_string()) {
                    row.useragent = keep(text(value));
                }
            } else if (key == "device") {
                row.device = keep(text(value));
            } else if (key == "destination") {
                row.destination = number(value);
            } else if (key == "profile") {
                row.profile = number(value);
            } else if (key == "subprofile") {
                row.subprofile = number(value);
            }
        }
    }
    return page;
}

}  // namespace floor_bench
