#include "core/copernica/token_service.hpp"

#include <utility>

#include "core/copernica/identity_decoder.hpp"
#include "core/copernica/jwt.hpp"
#include "core/copernica/query.hpp"
#include "core/copernica/status_kind.hpp"
#include "core/http/string_sink.hpp"
#include "core/util/duration_text.hpp"

namespace mirror::copernica {

namespace asio = boost::asio;

asio::awaitable<TokenService::Made> TokenService::exchange(Secret api_token) {
    Answer answer = co_await ask(api_token);
    if (answer.header.status != 200) {
        const std::string body = co_await read_error(answer);
        log("status " + std::to_string(answer.header.status) + ", " + std::to_string(body.size()) +
                " bytes",
            answer.begun);
        throw refused(answer.header, body);
    }
    std::string body;
    std::optional<ApiError> unreadable;
    try {
        body = co_await read(answer);
    } catch (const ApiError& error) {
        unreadable = error;
    }
    log(std::string("status 200, ") + (unreadable ? "unreadable after " : "") +
            std::to_string(answer.bytes) + " bytes",
        answer.begun);
    if (unreadable) {
        throw ApiError(*unreadable);
    }
    std::optional<std::string> token = token_in_reply(body);
    // What it says is not repeated: part of it may be a token all the same.
    if (!token) {
        throw failed(ErrorKind::invalid_response, "its reply holds no token");
    }
    co_return Made(std::move(*token), date_of(answer.header));
}

asio::awaitable<Answer> TokenService::ask(const Secret& api_token) {
    const std::string& path = route_.url.path;
    http::Request request(path.empty() ? "/" : path, user_agent_);
    request.form = "access_token=" + percent_encode(api_token.reveal());
    http::Route route = route_;
    Answer answer;
    answer.begun = clock_.monotonic();
    try {
        answer.connection = co_await http::Connection::open(std::move(route));
        ++requests_;
        answer.header = co_await answer.connection->ask(std::move(request));
    } catch (const http::ConnectionError& error) {
        log(error.what(), answer.begun);
        if (error.kind() == http::ConnectionError::Kind::certificate) {
            throw failed(ErrorKind::unusable,
                         "its certificate was refused before the token was sent: " +
                             std::string(error.what()));
        }
        ApiError failure =
            failed(error.kind() == http::ConnectionError::Kind::proxy ? ErrorKind::unusable
                                                                      : ErrorKind::try_again,
                   error.what());
        if (error.stage() != http::ConnectionError::Stage::request) {
            failure.set_unreachable();
        }
        throw failure;
    }
    co_return answer;
}

asio::awaitable<std::string> TokenService::read(Answer& answer) {
    if (!answer.header.has_length) {
        throw failed(ErrorKind::try_again,
                     "its reply has no length: truncation could not be detected");
    }
    http::StringSink body(small_body_limit);
    try {
        const bool readable = co_await read_body(answer, body, small_body_limit);
        if (!readable) {
            throw failed(ErrorKind::invalid_response, "its reply has an unknown Content-Encoding");
        }
    } catch (const http::BadBody& bad) {
        throw failed(ErrorKind::invalid_response, bad.what());
    } catch (const http::ConnectionError& error) {
        throw failed(error.kind() == http::ConnectionError::Kind::too_large
                         ? ErrorKind::invalid_response
                         : ErrorKind::try_again,
                     error.what());
    }
    co_return body.text();
}

void TokenService::log(const std::string& result, Monotonic begun) const {
    observer_.debug(request_line("POST " + route_.url.text(), result, clock_.monotonic() - begun));
}

ApiError TokenService::too_slow(std::chrono::seconds after) const {
    return failed(ErrorKind::try_again, "no reply within " + duration_text(after));
}

ApiError TokenService::failed(ErrorKind kind, const std::string& why, int status,
                              std::optional<Seconds> retry_after) const {
    const char* const what = kind == ErrorKind::token_refused
                                 ? "the token service refuses the token"
                             : kind == ErrorKind::try_again ? "the token service does not answer"
                                                            : "the token service cannot be used";
    return ApiError(kind, std::string(what) + " (" + route_.url.text() + "): " + why, status,
                    retry_after);
}

// A redirect is not followed: the token goes to no other place than the configured one.
ApiError TokenService::refused(const http::ReplyHeader& header, const std::string& body) const {
    const int status = header.status;
    const bool in_own_form = decode_error_message(body).has_value();
    // What it says is not repeated: a token may be in it that is not known here.
    std::string why = "HTTP status " + std::to_string(status);
    if (status >= 300 && status < 400) {
        return failed(ErrorKind::unusable,
                      why + "; it redirects, which is not followed: is [api] auth_url right?",
                      status);
    }
    ErrorKind kind = kind_of_status(status, true, in_own_form);
    if (kind == ErrorKind::request_refused) {
        kind = ErrorKind::unusable;  // 404 and the like: no such service there
        why += "; is [api] auth_url right?";
    }
    return failed(kind, why, status,
                  kind == ErrorKind::try_again ? retry_after_of(header) : std::nullopt);
}

}  // namespace mirror::copernica
