#include "daemon/check/api_probe.hpp"

#include <chrono>
#include <exception>
#include <memory>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include "core/copernica/http_api.hpp"
#include "core/copernica/page_check.hpp"
#include "core/http/connection.hpp"
#include "core/http/resolver.hpp"
#include "core/plan/zone_check.hpp"
#include "daemon/process/version.hpp"

namespace mirror::daemon {
namespace {

namespace asio = boost::asio;
using Stage = ApiProbe::Stage;

// A person waits for the answer.
constexpr std::chrono::seconds silence(8);
constexpr std::chrono::seconds request_time(15);

void note(ApiProbe& probe, Stage stage, const std::string& why, bool token_refused = false) {
    ApiProbe::Failure failure;
    failure.stage = stage;
    failure.token_refused = token_refused;
    failure.why = why;
    probe.failure = std::move(failure);
}

Stage stage_of(const http::ConnectionError& error) {
    switch (error.stage()) {
        case http::ConnectionError::Stage::resolve:
            return Stage::resolve;
        case http::ConnectionError::Stage::connect:
            return Stage::connect;
        case http::ConnectionError::Stage::proxy:
            return Stage::proxy;
        case http::ConnectionError::Stage::tls:
        case http::ConnectionError::Stage::request:
            break;
    }
    return Stage::tls;
}

// One try, stage after stage; an exception in it says in which.
class Try {
  public:
    Try(const ApiProbeOptions& options, Clock& clock)
        : options_(options),
          clock_(clock),
          trust_(options.url.tls ? http::load_trust(options.ca_file) : nullptr),
          api_(http_options(options)) {
        timeouts_.silence = silence;
        timeouts_.request = request_time;
        probe.place = fmt::format("{}:{}", options.url.host, options.url.port);
        probe.tls = options.url.tls;
        probe.proxy = options.proxy ? options.proxy->place() : "";
        probe.version = copernica::version_at(options.url);
        probe.has_token = options.token.has_value();
    }

    ApiProbe probe;

    asio::awaitable<void> run() {
        try {
            co_await reach();
            if (probe.has_token) {
                co_await ask();
            }
        } catch (const http::ConnectionError& error) {
            note(probe, stage_of(error), error.what());
        } catch (const copernica::ApiError& error) {
            note(probe, stage_, error.what(), error.kind() == copernica::ErrorKind::token_refused);
        } catch (const boost::system::system_error& error) {
            note(probe, stage_, error.code().message());
        }
        api_.close();
    }

  private:
    static copernica::HttpOptions http_options(const ApiProbeOptions& options) {
        copernica::HttpOptions http(options.url, Secret(options.token.value_or("")));
        http.ca_file = options.ca_file;
        http.version = version;
        http.auth_url = options.auth_url;
        http.proxy = options.proxy;
        http.auth_proxy = options.auth_proxy;
        http.timeouts.silence = silence;
        http.timeouts.request = request_time;
        return http;
    }

    asio::awaitable<void> reach() {
        stage_ = Stage::resolve;
        const auto deadline = std::chrono::steady_clock::now() + timeouts_.connect;
        const auto& proxy = options_.proxy;
        std::string host = proxy ? proxy->host : options_.url.host;
        const std::uint16_t port = proxy ? proxy->port : options_.url.port;
        const auto endpoints = co_await http::resolve(std::move(host), port, deadline);
        for (const auto& endpoint : endpoints) {
            probe.addresses.push_back(endpoint.address().to_string());
        }
        http::Route route(options_.url, trust_, timeouts_);
        route.proxy = options_.url.tls ? proxy : std::nullopt;
        const std::unique_ptr<http::Connection> connection =
            co_await http::Connection::open(std::move(route));
    }

    asio::awaitable<void> ask() {
        stage_ = Stage::identity;
        copernica::Identity identity = co_await api_.identity(gate_);
        probe.answered_at = clock_.utc();
        probe.identity = std::move(identity);

        stage_ = Stage::rows;
        const Instant server_now = probe.identity->date.value_or(probe.answered_at);
        const copernica::PageQuery query =
            plan::rows_ahead_query(options_.zone, server_now, copernica::defaults::page_size);
        bool any_served = false;
        for (const Stream* const stream : options_.streams) {
            const bool served = co_await ask_stream(*stream, query);
            any_served = any_served || served;
        }
        if (any_served) {
            probe.failure.reset();
            co_await ask_calls(options_.zone.to_local(server_now));
        }
    }

    // Whether the API serves it. The first failure is noted in case that all of them fail.
    asio::awaitable<bool> ask_stream(const Stream& stream, copernica::PageQuery query) {
        std::string why_not;
        bool token_refused = false;
        try {
            const copernica::PageReply reply = co_await api_.page(stream, query, gate_);
            why_not = copernica::why_invalid(query, reply.page, repeated_hour).value_or("");
            if (why_not.empty() && !probe.wrong_zone) {
                probe.wrong_zone = plan::why_wrong_zone(reply.page, options_.zone,
                                                        reply.date.value_or(clock_.utc()));
            }
        } catch (const copernica::ApiError& error) {
            why_not = error.what();
            token_refused = error.kind() == copernica::ErrorKind::token_refused;
        }
        if (!why_not.empty() && !probe.failure) {
            note(probe, stage_, why_not, token_refused);
        }
        std::string path;
        if (const auto family = api_.paths_of(stream)) {
            path = copernica::path_of(stream, *family);
        }
        probe.streams.push_back({std::string(stream.name), why_not, path});
        co_return why_not.empty();
    }

    // The mirror does not need this number, so an error here does not fail the check.
    asio::awaitable<void> ask_calls(LocalTime now) {
        const auto today = std::chrono::floor<std::chrono::days>(now);
        const std::chrono::year_month_day date(today);
        const LocalTime first = std::chrono::local_days(date.year() / date.month() / 1);
        try {
            const copernica::Consumption counted = co_await api_.consumption(first, now, gate_);
            probe.calls_this_month = counted.api_calls;
        } catch (const copernica::ApiError& error) {
            const bool refused = error.kind() == copernica::ErrorKind::token_refused ||
                                 error.kind() == copernica::ErrorKind::request_refused;
            probe.no_calls = refused ? "the token may not read them" : error.what();
        }
    }

    const ApiProbeOptions& options_;
    Clock& clock_;
    http::Timeouts timeouts_;
    std::shared_ptr<http::TlsTrust> trust_;
    copernica::HttpApi api_;
    copernica::OpenGate gate_;  // a dozen requests at the most
    Stage stage_ = Stage::resolve;
};

}  // namespace

ApiProbe probe_api(const ApiProbeOptions& options, Clock& clock) {
    Try attempt(options, clock);
    asio::io_context loop(1);
    std::exception_ptr failed;
    asio::co_spawn(loop, attempt.run(),
                   [&failed](const std::exception_ptr& error) { failed = error; });
    loop.run();
    if (failed) {
        std::rethrow_exception(failed);
    }
    return std::move(attempt.probe);
}

}  // namespace mirror::daemon
