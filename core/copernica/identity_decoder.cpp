#include "core/copernica/identity_decoder.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "core/http/body_sink.hpp"
#include "core/util/decimal.hpp"

namespace mirror::copernica {
namespace {

namespace json = boost::json;

// Null if it is not JSON.
json::value parse(std::string_view body) {
    json::error_code error;
    json::value result = json::parse({body.data(), body.size()}, error);
    return error ? json::value() : result;
}

// A member of a JSON object; null if it has no such member, or is not an object.
const json::value* member(const json::value& value, const char* name) {
    const json::object* const object = value.if_object();
    return object == nullptr ? nullptr : object->if_contains(name);
}

std::string text_of(const json::value* value) {
    if (value == nullptr) {
        return {};
    }
    if (const json::string* const text = value->if_string()) {
        return {text->data(), text->size()};
    }
    if (const std::int64_t* const number = value->if_int64()) {
        return std::to_string(*number);
    }
    return {};
}

}  // namespace

Identity decode_identity(std::string_view body) {
    const json::value reply = parse(body);
    Identity identity;
    identity.id = text_of(member(reply, "id"));
    identity.name = text_of(member(reply, "name"));
    if (identity.id.empty()) {
        throw http::BadBody("the reply names no account");
    }
    return identity;
}

Consumption decode_consumption(std::string_view body) {
    const json::value reply = parse(body);
    const auto calls = read_decimal<std::uint64_t>(text_of(member(reply, "apicalls")));
    if (!calls) {
        throw http::BadBody("the reply does not say how many API calls there were");
    }
    Consumption consumption;
    consumption.api_calls = *calls;
    return consumption;
}

std::optional<std::string> decode_error_message(std::string_view body) {
    const json::value reply = parse(body);
    const json::value* const error = member(reply, "error");
    const json::value* const message = error == nullptr ? nullptr : member(*error, "message");
    if (message == nullptr || !message->is_string()) {
        return std::nullopt;
    }
    return text_of(message);
}

}  // namespace mirror::copernica
