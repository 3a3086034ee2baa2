#include "core/copernica/http_api.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

#include "core/copernica/identity_decoder.hpp"
#include "core/copernica/query.hpp"
#include "core/copernica/status_kind.hpp"
#include "core/http/http_date.hpp"
#include "core/http/inflate.hpp"
#include "core/http/retry_after.hpp"
#include "core/http/string_sink.hpp"
#include "core/util/printable.hpp"

namespace mirror::copernica {
namespace {

namespace asio = boost::asio;

constexpr const char* identity_path = "/identity";
constexpr const char* consumption_path = "/consumption";

constexpr std::size_t body_limit = std::size_t{32} << 20;
// Of the texts in a pool. Those who still need an older pool keep it.
constexpr std::size_t most_entry_bytes = std::size_t{1} << 20;

constexpr std::size_t small_body_limit = std::size_t{64} << 10;

bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

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

std::optional<Instant> date_of(const http::ReplyHeader& header) {
    return header.date ? http::parse_http_date(*header.date) : std::nullopt;
}

// Seconds to wait, by the server's own clock if it shows one.
std::optional<Seconds> retry_after_of(const http::ReplyHeader& header) {
    if (!header.retry_after) {
        return std::nullopt;
    }
    const Instant now =
        date_of(header).value_or(std::chrono::floor<Seconds>(std::chrono::system_clock::now()));
    return http::parse_retry_after(*header.retry_after, now);
}

}  // namespace

HttpApi::HttpApi(HttpOptions options)
    : options_(std::move(options)),
      tokens_{options_.token},
      pool_(options_.url, options_.url.tls ? http::load_trust(options_.ca_file) : nullptr,
            options_.timeouts, options_.connections),
      semaphore_(options_.connections) {}

asio::awaitable<PageReply> HttpApi::page(const Stream& stream, PageQuery query, RequestGate& gate) {
    std::unique_ptr<PageDecoder> decoder;
    if (decoders_.empty()) {
        decoder = std::make_unique<PageDecoder>();
    } else {
        decoder = std::move(decoders_.back());
        decoders_.pop_back();
    }
    decoder->begin(stream, token(), entries());
    std::string path = options_.url.path + "/" + std::string(stream.path);
    std::string parameters = page_parameters(stream, query);
    PageReply reply;
    reply.date = co_await get(std::move(path), std::move(parameters), *decoder, gate);
    reply.page = decoder->take();
    decoders_.push_back(std::move(decoder));
    co_return reply;
}

std::shared_ptr<TextPool> HttpApi::entries() {
    if (entries_->bytes() > most_entry_bytes) {
        entries_ = std::make_shared<TextPool>();
    }
    return entries_;
}

asio::awaitable<Identity> HttpApi::identity(RequestGate& gate) {
    http::StringSink body(small_body_limit);
    std::string path = options_.url.path + identity_path;
    std::string where = path;
    const std::optional<Instant> date = co_await get(std::move(path), std::string(), body, gate);
    try {
        Identity identity = decode_identity(body.text());
        for (std::string* const text : {&identity.id, &identity.name}) {
            for (const Secret& token : tokens_) {
                if (token.occurs_in(*text)) {
                    *text = token.redact(*text);
                }
            }
        }
        identity.date = date;
        co_return identity;
    } catch (const http::BadBody& bad) {
        throw failed(ErrorKind::invalid_response, where, bad.what());
    }
}

asio::awaitable<Consumption> HttpApi::consumption(LocalTime first, LocalTime last,
                                                  RequestGate& gate) {
    http::StringSink body(small_body_limit);
    std::string path = options_.url.path + consumption_path;
    std::string where = path;
    std::string query = consumption_query(first, last);
    co_await get(std::move(path), std::move(query), body, gate);
    try {
        co_return decode_consumption(body.text());
    } catch (const http::BadBody& bad) {
        throw failed(ErrorKind::invalid_response, where, bad.what());
    }
}

// One call, redirects followed. Gives the reply's `Date`.
asio::awaitable<std::optional<Instant>> HttpApi::get(std::string path, std::string query,
                                                     http::BodySink& sink, RequestGate& gate) {
    const Semaphore::Permit permit = co_await semaphore_.take();
    // Where a redirect leads to, a 400 means what it means here.
    const bool is_identity = path == options_.url.path + identity_path;
    for (std::size_t redirects = 0;; ++redirects) {
        Answer answer = co_await ask(path, query, gate);
        if (answer.header.status == 200) {
            co_await read_page(answer, path, sink);
            pool_.give_back(std::move(answer.connection));
            co_return date_of(answer.header);
        }
        const std::string body = co_await read_error(answer);
        if (answer.connection) {
            pool_.give_back(std::move(answer.connection));
        }
        if (!is_redirect(answer.header.status)) {
            throw refused(path, answer.header, body, is_identity);
        }
        if (redirects == options_.redirects) {
            throw failed(ErrorKind::request_refused, path, "redirected too many times");
        }
        const http::RedirectTarget target =
            http::parse_location(options_.url, path, answer.header.location.value_or(""));
        if (target.kind == http::RedirectTarget::Kind::not_readable || !answer.header.location) {
            throw failed(ErrorKind::request_refused, path, "redirected to no readable URL");
        }
        if (target.kind == http::RedirectTarget::Kind::other_place) {
            throw failed(ErrorKind::unusable, path,
                         "redirected to " + shown(target.place) +
                             ", where the token is not sent; if that is right, make it the URL");
        }
        // A next redirect, relative to it, could leave a part that is not recognised any more.
        if (holds_token(target.path)) {
            throw failed(ErrorKind::request_refused, path,
                         "redirected to a URL with the token in its path");
        }
        path = target.path;
        query = target.query.empty() ? query : target.query;
    }
}

asio::awaitable<HttpApi::Answer> HttpApi::ask(std::string path, std::string query,
                                              RequestGate& gate) {
    std::string target = target_with_token(path, query, token());
    try {
        co_return co_await ask_once(std::move(target), gate);
    } catch (const http::ConnectionError& error) {
        if (error.kind() == http::ConnectionError::Kind::certificate) {
            throw failed(ErrorKind::unusable, path,
                         "the server's certificate was refused before the token was sent: " +
                             std::string(error.what()));
        }
        ApiError failure = failed(ErrorKind::try_again, path, error.what());
        if (error.stage() != http::ConnectionError::Stage::request) {
            failure.set_unreachable();
        }
        throw failure;
    }
}

// One request and the header of its reply; a kept connection that is dead is replaced once.
asio::awaitable<HttpApi::Answer> HttpApi::ask_once(std::string target, RequestGate& gate) {
    Answer answer;
    std::string agent = options_.user_agent();
    // The gate first: a connection that is taken and waits may be closed by the server meanwhile.
    co_await gate.pass();
    answer.connection = pool_.take_resting();
    if (answer.connection) {
        try {
            ++requests_;
            answer.header = co_await answer.connection->ask(target, agent);
            co_return answer;
        } catch (const http::ConnectionError& error) {
            if (error.kind() != http::ConnectionError::Kind::gone) {
                throw;
            }
        }
        ++repeated_;
        answer.connection.reset();
        co_await gate.pass();
    }
    answer.connection = co_await pool_.open();
    ++requests_;
    answer.header = co_await answer.connection->ask(std::move(target), std::move(agent));
    co_return answer;
}

// The body of a 200.
asio::awaitable<void> HttpApi::read_page(Answer& answer, std::string path, http::BodySink& sink) {
    if (!answer.header.has_length) {
        throw failed(ErrorKind::try_again, path,
                     "the reply has no length: truncation could not be detected");
    }
    try {
        std::optional<http::Inflate> inflate;
        switch (encoding_of(answer.header)) {
            case Encoding::none:
                break;
            case Encoding::gzip:
                inflate.emplace(sink, body_limit);
                break;
            case Encoding::unknown:
                throw http::BadBody("the reply has an unknown Content-Encoding: " +
                                    shown(*answer.header.content_encoding));
        }
        http::BodySink& first = inflate ? static_cast<http::BodySink&>(*inflate) : sink;
        co_await answer.connection->read_body(first, body_limit);
    } catch (const http::BadBody& bad) {
        throw failed(ErrorKind::invalid_response, path, bad.what());
    } catch (const http::ConnectionError& error) {
        throw failed(error.kind() == http::ConnectionError::Kind::too_large
                         ? ErrorKind::invalid_response
                         : ErrorKind::try_again,
                     path, error.what());
    }
}

// The body of another status, as far as it can be had: the status is what matters. The
// connection stays in the answer if it can be used again.
asio::awaitable<std::string> HttpApi::read_error(Answer& answer) {
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

ApiError HttpApi::failed(ErrorKind kind, const std::string& path, const std::string& why) const {
    http::BaseUrl where = options_.url;
    where.path = shown(path);
    return ApiError(kind, where.text() + ": " + why);
}

// What a status other than 200 means.
ApiError HttpApi::refused(const std::string& path, const http::ReplyHeader& header,
                          const std::string& body, bool is_identity) const {
    const int status = header.status;
    const std::optional<std::string> message = decode_error_message(body);
    const ErrorKind kind = kind_of_status(status, is_identity, message.has_value());
    std::string why = "HTTP status " + std::to_string(status);
    if (message) {
        why += ": " + shown(*message);
    }
    const ApiError plain = failed(kind, path, why);
    return ApiError(kind, plain.what(), status,
                    kind == ErrorKind::try_again ? retry_after_of(header) : std::nullopt);
}

// Text of the server's, fit for a message.
std::string HttpApi::shown(std::string_view from_the_server) const {
    std::string redacted(from_the_server);
    for (const Secret& token : tokens_) {
        redacted = token.redact(redacted);
    }
    return printable(redacted);
}

bool HttpApi::holds_token(std::string_view text) const {
    return std::any_of(tokens_.begin(), tokens_.end(),
                       [text](const Secret& token) { return token.occurs_in(text); });
}

}  // namespace mirror::copernica
