#include "tests/simulator/wire.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <map>
#include <sstream>
#include <stdexcept>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "tests/simulator/gzip.hpp"

namespace simulator {
namespace {

namespace http = boost::beast::http;

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char byte) { return static_cast<char>(std::tolower(byte)); });
    return text;
}

std::string chunked(std::string_view body, std::size_t chunk_bytes, bool last_chunk) {
    std::string out;
    out.reserve(body.size() + 64);
    while (!body.empty()) {
        const std::string_view chunk = body.substr(0, std::max<std::size_t>(chunk_bytes, 1));
        std::array<char, 24> size{};
        std::snprintf(size.data(), size.size(), "%zx\r\n", chunk.size());
        out += size.data();
        out += chunk;
        out += "\r\n";
        body.remove_prefix(chunk.size());
    }
    if (last_chunk) {
        out += "0\r\n\r\n";
    }
    return out;
}

std::map<std::string, std::string> read_form(const std::string& body) {
    std::map<std::string, std::string> form;
    // A form has the syntax of a query.
    const std::string target = "/?" + body;
    if (const auto parsed = boost::urls::parse_origin_form(target)) {
        for (const auto& field : parsed->params()) {
            form[field.key] = field.value;
        }
    }
    return form;
}

}  // namespace

struct RequestReader::Parser {
    http::request_parser<http::string_body> http;
    Parser() {
        constexpr std::uint32_t largest = 1024 * 1024;  // tokens may be long
        http.header_limit(largest);
        http.body_limit(largest);
        http.eager(true);
    }
};

RequestReader::RequestReader() : parser_(std::make_unique<Parser>()) {}
RequestReader::~RequestReader() = default;

RequestReader::State RequestReader::feed(std::string_view bytes) {
    bytes_ += bytes;
    if (bytes_.empty()) {
        return State::incomplete;
    }
    boost::system::error_code error;
    try {
        const std::size_t used = parser_->http.put(boost::asio::buffer(bytes_), error);
        bytes_.erase(0, used);
    } catch (const std::length_error&) {
        return State::broken;  // a field of more than 64 KB: servers refuse these, too
    }
    if (error && error != http::error::need_more) {
        return State::broken;
    }
    return parser_->http.is_done() ? State::complete : State::incomplete;
}

Request RequestReader::take() {
    const auto& message = parser_->http.get();
    Request request;
    request.method = std::string(message.method_string());
    if (const auto target = boost::urls::parse_origin_form(message.target())) {
        request.path = target->path();
        for (const auto& parameter : target->params()) {
            request.parameters[parameter.key] = parameter.value;
        }
    }
    for (const auto& field : message) {
        request.headers[lower(std::string(field.name_string()))] = std::string(field.value());
    }
    const auto type = request.headers.find("content-type");
    if (type != request.headers.end() &&
        type->second.starts_with("application/x-www-form-urlencoded")) {
        request.form = read_form(message.body());
    }
    keep_alive_ = message.keep_alive();
    parser_ = std::make_unique<Parser>();
    return request;
}

Wire to_wire(const Reply& reply, const Framed& framed) {
    const Behaviour& behaviour = framed.behaviour;
    const Delivery delivery = framed.fault ? framed.fault->delivery : Delivery::whole;
    const bool compress = behaviour.compression == Compression::always ||
                          (behaviour.compression == Compression::when_accepted &&
                           framed.gzip_accepted && !reply.body.empty());
    Wire wire;
    wire.body = compress ? gzip(reply.body) : reply.body;
    if (framed.fault && framed.fault->bytes) {
        framed.fault->bytes(wire.body);
    }

    http::response_header<> head;
    head.version(11);
    head.result(reply.status);
    head.set(http::field::server, "copernica-simulator");
    if (framed.date) {
        head.set(http::field::date, *framed.date);
    }
    head.set(http::field::content_type, reply.content_type);
    if (compress) {
        head.set(http::field::content_encoding, "gzip");
    }
    for (const auto& [name, value] : reply.headers) {
        head.set(name, value);
    }
    if (behaviour.framing == Framing::chunked || delivery == Delivery::without_last_chunk) {
        head.set(http::field::transfer_encoding, "chunked");
        wire.body =
            chunked(wire.body, behaviour.chunk_bytes, delivery != Delivery::without_last_chunk);
    } else {
        head.set(http::field::content_length, std::to_string(wire.body.size()));
    }
    head.set(http::field::connection, framed.keep_alive ? "keep-alive" : "close");
    std::ostringstream text;
    text << head;
    wire.head = std::move(text).str();
    return wire;
}

std::string http_date(mirror::Instant at) {
    static constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed",
                                                     "Thu", "Fri", "Sat"};
    static constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day calendar(day);
    const std::chrono::hh_mm_ss<mirror::Seconds> clock(at - day);
    std::array<char, 64> text{};
    std::snprintf(
        text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT",
        days[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(calendar.day()),
        months[static_cast<unsigned>(calendar.month()) - 1], static_cast<int>(calendar.year()),
        static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
        static_cast<int>(clock.seconds().count()));
    return text.data();
}

}  // namespace simulator
