#include "core/copernica/http_api.hpp"

#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

#include "core/copernica/identity_decoder.hpp"
#include "core/copernica/query.hpp"
#include "core/copernica/statistics_decoder.hpp"
#include "core/copernica/status_kind.hpp"
#include "core/http/string_sink.hpp"
#include "core/time/text.hpp"
#include "core/util/printable.hpp"

namespace mirror::copernica {
namespace {

namespace asio = boost::asio;

constexpr const char* identity_path = "/identity";
constexpr int status_not_found = 404;

constexpr const char* consumption_path = "/consumption";

constexpr std::size_t body_limit = std::size_t{32} << 20;
// Of the texts in a pool. Those who still need an older pool keep it.
constexpr std::size_t most_entry_bytes = std::size_t{1} << 20;

bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

SystemClock& system_clock() {
    static SystemClock clock;
    return clock;
}

RequestObserver& nobody() {
    static RequestObserver observer;
    return observer;
}

constexpr const char* html_in_between =
    "; it is an HTML page: does the network want a login first (a captive portal), or is a proxy "
    "in between?";

bool is_html(const http::ReplyHeader& header) {
    return header.content_type && header.content_type->find("text/html") != std::string::npos;
}

// "2026-01-01 00:00:00 to 2026-01-02 00:00:00".
std::string period_text(const PageQuery& query) {
    return format_local(query.begintime) + " to " + format_local(query.endtime);
}

http::BaseUrl usual_auth_url() {
    return http::parse_base_url("https://authenticate.copernica.com/");
}

}  // namespace

int version_at(const http::BaseUrl& url) {
    return url.path.ends_with("/v4") ? 4 : 3;
}

HttpApi::HttpApi(HttpOptions options)
    : options_(std::move(options)),
      trust_(options_.url.tls ? http::load_trust(options_.ca_file) : nullptr),
      bearer_(version_at(options_.url) == 4 ? make_bearer() : nullptr),
      pool_(route(), options_.connections),
      semaphore_(options_.connections),
      paths_(version_at(options_.url)) {
    secrets_.add(options_.token);
    for (const auto& proxy : {options_.proxy, options_.auth_proxy}) {
        if (proxy && proxy->password) {
            secrets_.add(Secret(*proxy->password));
            constexpr std::size_t scheme = 6;  // "Basic "
            secrets_.add(Secret(proxy->authorization().substr(scheme)));
        }
    }
}

http::Route HttpApi::route() const {
    http::Route to_api(options_.url, trust_, options_.timeouts);
    to_api.proxy = options_.url.tls ? options_.proxy : std::nullopt;
    return to_api;
}

std::unique_ptr<Bearer> HttpApi::make_bearer() {
    const http::BaseUrl url = options_.auth_url.value_or(usual_auth_url());
    http::Route to_service(url, url.tls && !trust_ ? http::load_trust(options_.ca_file) : trust_,
                           options_.timeouts);
    to_service.proxy = url.tls ? options_.auth_proxy : std::nullopt;
    TokenService service(std::move(to_service), options_.user_agent(), clock(), observer());
    return std::make_unique<Bearer>(options_.token, std::move(service), clock(), observer(),
                                    [this](const Secret& made) {
                                        secrets_.add_passing(made);
                                        entries_ = std::make_shared<TextPool>();
                                    });
}

void HttpApi::set_token(Secret token) {
    options_.token = std::move(token);
    secrets_.add(options_.token);
    // What was kept was not searched for this one.
    entries_ = std::make_shared<TextPool>();
    if (bearer_) {
        bearer_->use(options_.token);
    }
}

// A path that is not found is not the end: the call may be at the other one.
asio::awaitable<PageReply> HttpApi::page(const Stream& stream, PageQuery query, RequestGate& gate) {
    const PathFamily first = paths_.first(stream);
    std::optional<ApiError> not_found;
    try {
        co_return co_await page_at(first, stream, query, gate);
    } catch (const ApiError& error) {
        if (error.status() != status_not_found) {
            throw;
        }
        not_found = error;
    }
    try {
        co_return co_await page_at(other(first), stream, query, gate);
    } catch (const ApiError& error) {
        if (error.status() != status_not_found) {
            throw;
        }
    }
    throw ApiError(*not_found);
}

asio::awaitable<PageReply> HttpApi::page_at(PathFamily family, const Stream& stream,
                                            PageQuery query, RequestGate& gate) {
    std::unique_ptr<PageDecoder> decoder;
    if (decoders_.empty()) {
        decoder = std::make_unique<PageDecoder>();
    } else {
        decoder = std::move(decoders_.back());
        decoders_.pop_back();
    }
    decoder->begin(stream, secrets_, entries(), options_.privacy);
    std::string path = options_.url.path + "/" + std::string(path_of(stream, family));
    std::string parameters = page_parameters(stream, query);
    PageReply reply;
    Received received = co_await get(std::move(path), std::move(parameters), *decoder, gate);
    reply.date = received.date;
    reply.page = decoder->take();
    observer().debug(received.line + ", " + period_text(query) + ": " +
                     std::to_string(reply.page.records()) + " records" +
                     (reply.page.total ? " of " + std::to_string(*reply.page.total) : ""));
    decoders_.push_back(std::move(decoder));
    paths_.answered(stream, family);
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
    const Received received = co_await get(std::move(path), std::string(), body, gate);
    observer().debug(received.line);
    try {
        Identity identity = decode_identity(body.text());
        for (std::string* const text : {&identity.id, &identity.name}) {
            if (secrets_.occurs_in(*text)) {
                *text = secrets_.mask(*text);
            }
        }
        identity.date = received.date;
        co_return identity;
    } catch (const http::BadBody& bad) {
        throw failed(ErrorKind::invalid_response, where,
                     shown(bad.what()) + (received.is_html ? html_in_between : ""));
    }
}

// As with pages, what is not found may be at the other path, while it is not known which one the
// API answers. After that, it is the mailing that is not found.
asio::awaitable<StatisticsReply> HttpApi::statistics(StatisticsQuery query, RequestGate& gate) {
    const PathFamily first = statistics_path_.value_or(paths_.first(*query.streams.front()));
    std::optional<ApiError> not_found;
    try {
        co_return co_await statistics_at(first, query, gate);
    } catch (const ApiError& error) {
        if (error.status() != status_not_found) {
            throw;
        }
        not_found = error;
    }
    bool in_own_form = not_found->kind() == ErrorKind::request_refused;
    if (!statistics_path_) {
        try {
            co_return co_await statistics_at(other(first), query, gate);
        } catch (const ApiError& error) {
            const bool refused = error.kind() == ErrorKind::request_refused;
            if (error.status() != status_not_found && !refused) {
                throw;
            }
            in_own_form = in_own_form || (refused && error.status() == status_not_found);
        }
    }
    if (!in_own_form) {
        throw ApiError(*not_found);
    }
    co_return StatisticsReply();
}

asio::awaitable<StatisticsReply> HttpApi::statistics_at(PathFamily family, StatisticsQuery query,
                                                        RequestGate& gate) {
    http::StringSink body(small_body_limit);
    std::string path = options_.url.path + "/" + statistics_path(family, query.mailing);
    std::string where = path;
    std::string parameters = statistics_parameters(query);
    const Received received = co_await get(std::move(path), std::move(parameters), body, gate);
    observer().debug(received.line);
    StatisticsReply reply;
    reply.date = received.date;
    try {
        reply.counts = decode_statistics(body.text(), query.streams);
    } catch (const http::BadBody& bad) {
        throw failed(ErrorKind::invalid_response, where,
                     shown(bad.what()) + (received.is_html ? html_in_between : ""));
    }
    statistics_path_ = family;
    co_return reply;
}

asio::awaitable<Consumption> HttpApi::consumption(LocalTime first, LocalTime last,
                                                  RequestGate& gate) {
    http::StringSink body(small_body_limit);
    std::string path = options_.url.path + consumption_path;
    std::string where = path;
    std::string query = consumption_query(first, last);
    const Received received = co_await get(std::move(path), std::move(query), body, gate);
    observer().debug(received.line);
    try {
        co_return decode_consumption(body.text());
    } catch (const http::BadBody& bad) {
        throw failed(ErrorKind::invalid_response, where, bad.what());
    }
}

// One call, redirects followed, with another token where one may help.
asio::awaitable<HttpApi::Received> HttpApi::get(std::string path, std::string query,
                                                http::BodySink& sink, RequestGate& gate) {
    const Semaphore::Permit permit = co_await semaphore_.take();
    // Where a redirect leads to, a 400 means what it means here.
    const bool is_identity = path == options_.url.path + identity_path;
    std::optional<Bearer::Presented> presented;
    if (bearer_) {
        presented = co_await bearer_->present(gate);
    }
    for (std::size_t redirects = 0;;) {
        const Secret* const bearer = presented ? &presented->secret() : nullptr;
        Answer answer = co_await ask(path, query, bearer, gate);
        if (bearer_) {
            bearer_->observe(date_of(answer.header));
        }
        if (answer.header.status == 200) {
            if (presented) {
                bearer_->accepted(*presented);
            }
            std::optional<ApiError> unreadable;
            try {
                co_await read_page(answer, path, sink);
            } catch (const ApiError& error) {
                unreadable = error;
            }
            if (unreadable) {
                observer().debug(line_of(
                    path, "status 200, unreadable after " + std::to_string(answer.bytes) + " bytes",
                    answer.begun));
                throw ApiError(*unreadable);
            }
            pool_.give_back(std::move(answer.connection));
            Received received;
            received.date = date_of(answer.header);
            received.is_html = is_html(answer.header);
            received.line = line_of(path, "status 200, " + std::to_string(answer.bytes) + " bytes",
                                    answer.begun);
            co_return received;
        }
        const std::string body = co_await read_error(answer);
        observer().debug(line_of(path,
                                 "status " + std::to_string(answer.header.status) + ", " +
                                     std::to_string(body.size()) + " bytes",
                                 answer.begun));
        if (answer.connection) {
            pool_.give_back(std::move(answer.connection));
        }
        if (is_redirect(answer.header.status)) {
            if (redirects++ == options_.redirects) {
                throw failed(ErrorKind::request_refused, path, "redirected too many times");
            }
            path = redirected(answer, path, query);
            continue;
        }
        const std::optional<std::string> message = decode_error_message(body);
        const std::optional<Refusal> refusal =
            presented ? refusal_of(answer.header.status, message, is_identity) : std::nullopt;
        if (refusal) {
            const bool another = co_await bearer_->refused(*presented, is_identity, *refusal, gate);
            if (another) {
                continue;
            }
        }
        throw refused(path, answer.header, message, is_identity);
    }
}

// The path that a redirect leads to; `query` becomes the one there, if it has one.
std::string HttpApi::redirected(const Answer& answer, const std::string& path,
                                std::string& query) const {
    const http::RedirectTarget target =
        http::parse_location(options_.url, path, answer.header.location.value_or(""));
    if (target.kind == http::RedirectTarget::Kind::not_readable || !answer.header.location) {
        throw failed(ErrorKind::request_refused, path, "redirected to no readable URL");
    }
    if (target.kind == http::RedirectTarget::Kind::other_place) {
        throw failed(ErrorKind::unusable, path,
                     "redirected to " + shown(target.place) +
                         ", where the token is not sent; if that is right, make it the URL; else "
                         "the network may want a login first (a captive portal)");
    }
    // A next redirect, relative to it, could leave a part that is not recognised any more.
    if (secrets_.occurs_in(target.path)) {
        throw failed(ErrorKind::request_refused, path,
                     "redirected to a URL with the token in its path");
    }
    if (!target.query.empty()) {
        query = target.query;
    }
    return target.path;
}

asio::awaitable<Answer> HttpApi::ask(std::string path, std::string query, const Secret* bearer,
                                     RequestGate& gate) {
    http::Request request(bearer != nullptr ? target_without_token(path, query)
                                            : target_with_token(path, query, token()),
                          options_.user_agent());
    if (bearer != nullptr) {
        request.authorization = "Bearer " + bearer->reveal();
    }
    Monotonic begun = clock().monotonic();
    try {
        co_return co_await ask_once(std::move(request), gate, begun);
    } catch (const http::ConnectionError& error) {
        observer().debug(line_of(path, error.what(), begun));
        if (error.kind() == http::ConnectionError::Kind::certificate) {
            throw failed(ErrorKind::unusable, path,
                         "the server's certificate was refused before the token was sent: " +
                             std::string(error.what()));
        }
        ApiError failure =
            failed(error.kind() == http::ConnectionError::Kind::proxy ? ErrorKind::unusable
                                                                      : ErrorKind::try_again,
                   path, error.what());
        if (error.stage() != http::ConnectionError::Stage::request) {
            failure.set_unreachable();
        }
        throw failure;
    }
}

// One request and the header of its reply; a kept connection that is dead is replaced once.
asio::awaitable<Answer> HttpApi::ask_once(http::Request request, RequestGate& gate,
                                          Monotonic& begun) {
    Answer answer;
    // The gate first: a connection that is taken and waits may be closed by the server meanwhile.
    co_await gate.pass();
    answer.begun = begun = clock().monotonic();
    answer.connection = pool_.take_resting();
    if (answer.connection) {
        http::Request copy = request;
        try {
            ++requests_;
            answer.header = co_await answer.connection->ask(std::move(copy));
            co_return answer;
        } catch (const http::ConnectionError& error) {
            if (error.kind() != http::ConnectionError::Kind::gone) {
                throw;
            }
        }
        ++repeated_;
        answer.connection.reset();
        co_await gate.pass();
        answer.begun = begun = clock().monotonic();
    }
    answer.connection = co_await pool_.open();
    ++requests_;
    answer.header = co_await answer.connection->ask(std::move(request));
    co_return answer;
}

// The body of a 200.
asio::awaitable<void> HttpApi::read_page(Answer& answer, std::string path, http::BodySink& sink) {
    if (!answer.header.has_length) {
        throw failed(ErrorKind::try_again, path,
                     "the reply has no length: truncation could not be detected");
    }
    try {
        const bool readable = co_await read_body(answer, sink, body_limit);
        if (!readable) {
            throw failed(ErrorKind::invalid_response, path,
                         "the reply has an unknown Content-Encoding: " +
                             shown(*answer.header.content_encoding));
        }
    } catch (const http::BadBody& bad) {
        ApiError error =
            failed(ErrorKind::invalid_response, path,
                   shown(bad.what()) + (is_html(answer.header) ? html_in_between : ""));
        // Something in between may say in HTML that it took too long.
        if (bad.kind() == http::BadBody::Kind::cut_off_or_too_large || is_html(answer.header)) {
            error.set_maybe_too_large();
        }
        throw ApiError(error);
    } catch (const http::ConnectionError& error) {
        if (error.kind() == http::ConnectionError::Kind::too_large) {
            throw failed(ErrorKind::invalid_response, path, error.what()).set_maybe_too_large();
        }
        throw failed(ErrorKind::try_again, path, error.what());
    }
}

ApiError HttpApi::failed(ErrorKind kind, const std::string& path, const std::string& why) const {
    http::BaseUrl where = options_.url;
    where.path = shown(path);
    return ApiError(kind, where.text() + ": " + why);
}

// What a status other than 200 means.
ApiError HttpApi::refused(const std::string& path, const http::ReplyHeader& header,
                          const std::optional<std::string>& message, bool is_identity) const {
    const int status = header.status;
    const ErrorKind kind = kind_of_status(status, is_identity, message.has_value());
    std::string why = "HTTP status " + std::to_string(status);
    if (message) {
        why += ": " + shown(*message);
    }
    const ApiError plain = failed(kind, path, why);
    return ApiError(kind, plain.what(), status,
                    kind == ErrorKind::try_again ? retry_after_of(header) : std::nullopt);
}

// For the log: no token, and nothing of the query.
std::string HttpApi::line_of(const std::string& path, const std::string& result,
                             Monotonic begun) const {
    return request_line("GET " + shown(path), result, clock().monotonic() - begun);
}

Clock& HttpApi::clock() const {
    return options_.clock != nullptr ? *options_.clock : system_clock();
}

RequestObserver& HttpApi::observer() const {
    return options_.observer != nullptr ? *options_.observer : nobody();
}

// Text of the server's, fit for a message.
std::string HttpApi::shown(std::string_view from_the_server) const {
    return printable(secrets_.redact(from_the_server));
}

}  // namespace mirror::copernica
