#include "core/copernica/reply_body.hpp"

#include <chrono>
#include <string_view>

#include "core/http/http_date.hpp"
#include "core/http/inflate.hpp"
#include "core/http/retry_after.hpp"
#include "core/http/string_sink.hpp"

namespace mirror::copernica {

namespace asio = boost::asio;

namespace {

enum class Encoding { none, gzip, unknown };

Encoding encoding_of(const http::ReplyHeader& header) {
    std::string name = header.content_encoding.value_or("");
    for (char& c : name) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    if (name.empty() || name == "identity") {
        return Encoding::none;
    }
    return name == "gzip" || name == "x-gzip" ? Encoding::gzip : Encoding::unknown;
}

// Counts what passes.
class Counter final : public http::BodySink {
  public:
    Counter(http::BodySink& next, std::size_t& bytes) : next_(next), bytes_(bytes) {}
    void feed(std::string_view piece) override {
        bytes_ += piece.size();
        next_.feed(piece);
    }
    void finish() override { next_.finish(); }

  private:
    http::BodySink& next_;
    std::size_t& bytes_;
};

}  // namespace

asio::awaitable<bool> read_body(Answer& answer, http::BodySink& sink, std::size_t limit) {
    Counter counter(sink, answer.bytes);
    std::optional<http::Inflate> inflate;
    switch (encoding_of(answer.header)) {
        case Encoding::none:
            break;
        case Encoding::gzip:
            inflate.emplace(counter, limit);
            break;
        case Encoding::unknown:
            co_return false;
    }
    http::BodySink& first = inflate ? static_cast<http::BodySink&>(*inflate) : counter;
    co_await answer.connection->read_body(first, limit);
    co_return true;
}

asio::awaitable<std::string> read_error(Answer& answer) {
    http::StringSink body(small_body_limit);
    try {
        std::optional<http::Inflate> inflate;
        if (encoding_of(answer.header) == Encoding::gzip) {
            inflate.emplace(body, small_body_limit);
        }
        http::BodySink& first = inflate ? static_cast<http::BodySink&>(*inflate) : body;
        co_await answer.connection->read_body(first, small_body_limit);
    } catch (const http::BadBody&) {
        answer.connection.reset();
    } catch (const http::ConnectionError&) {
        answer.connection.reset();
    }
    co_return body.text();
}

std::string request_line(const std::string& what, const std::string& result,
                         std::chrono::nanoseconds took) {
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(took);
    return what + ": " + result + " after " + std::to_string(milliseconds.count()) + " ms";
}

std::optional<Instant> date_of(const http::ReplyHeader& header) {
    return header.date ? http::parse_http_date(*header.date) : std::nullopt;
}

std::optional<Seconds> retry_after_of(const http::ReplyHeader& header) {
    if (!header.retry_after) {
        return std::nullopt;
    }
    const Instant now =
        date_of(header).value_or(std::chrono::floor<Seconds>(std::chrono::system_clock::now()));
    return http::parse_retry_after(*header.retry_after, now);
}

}  // namespace mirror::copernica
