// The API over HTTP.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "core/copernica/api.hpp"
#include "core/copernica/bearer.hpp"
#include "core/copernica/defaults.hpp"
#include "core/copernica/page_decoder.hpp"
#include "core/copernica/reply_body.hpp"
#include "core/copernica/request_observer.hpp"
#include "core/http/connection.hpp"
#include "core/http/connection_pool.hpp"
#include "core/http/route.hpp"
#include "core/http/url.hpp"
#include "core/record/text_pool.hpp"
#include "core/time/clock.hpp"
#include "core/util/secret.hpp"
#include "core/util/secrets.hpp"
#include "core/util/semaphore.hpp"

namespace mirror::copernica {

struct HttpOptions {
    HttpOptions(http::BaseUrl base_url, Secret access_token)
        : url(std::move(base_url)), token(std::move(access_token)) {}

    http::BaseUrl url;  ///< its path says which version of the API it is
    Secret token;
    /// Of the service that makes tokens for version 4; https://authenticate.copernica.com/.
    std::optional<http::BaseUrl> auth_url;
    std::string ca_file;  ///< PEM; empty: the system's CAs
    /// Of the API, and of the service that makes tokens; nothing: none. Not for plain HTTP.
    std::optional<http::ProxyAddress> proxy;
    std::optional<http::ProxyAddress> auth_proxy;
    std::size_t connections =
        defaults::connections;  ///< at the same time, at the most; more calls wait
    http::Timeouts timeouts;    ///< each has its default
    std::string version = "0";  ///< of this program, for User-Agent
    Privacy privacy{};          ///< what is kept of the records
    std::size_t redirects = 3;  ///< in one call, at the most
    /// Both must outlive the API; without them, this machine's clock, and nobody.
    Clock* clock = nullptr;
    RequestObserver* observer = nullptr;
    std::string user_agent() const { return "copernica-mirror/" + version; }
};

/// Which version of the API is at this URL, as its path says: 4 if it ends in "/v4", else 3.
int version_at(const http::BaseUrl& url);

/// The calls, on kept-alive connections. All calls come from one thread, that of the executor of
/// the calling coroutines; it must outlive the calls.
///
/// One call is one try: whether and when to try again is the caller's business. Only a kept
/// connection that turns out dead before the first byte of a reply is replaced here, as soon as the
/// gate lets the repeated request through.
class HttpApi final : public Api {
  public:
    /// Throws std::runtime_error, which names the file, if the CAs cannot be read.
    explicit HttpApi(HttpOptions options);

    boost::asio::awaitable<PageReply> page(const Stream& stream, PageQuery query,
                                           RequestGate& gate) override;
    boost::asio::awaitable<Identity> identity(RequestGate& gate) override;

    boost::asio::awaitable<StatisticsReply> statistics(StatisticsQuery query,
                                                       RequestGate& gate) override;

    int version() const override { return version_at(options_.url); }
    std::optional<PathFamily> paths_of(const Stream& stream) const override {
        return paths_.known(stream);
    }
    void expect_paths(const Stream& stream, PathFamily family) override {
        paths_.answered(stream, family);
    }

    /// What the API counted in the local days from `first` to `last`, both included. Not every
    /// token may read it.
    boost::asio::awaitable<Consumption> consumption(LocalTime first, LocalTime last,
                                                    RequestGate& gate);

    /// From the next request on. Those that are under way have the one before.
    void set_token(Secret token);
    const Secret& token() const { return options_.token; }

    /// Closes the connections that rest. Calls that are under way go on, but keep none any more:
    /// when the last has ended, nothing keeps the io_context running.
    void close() { pool_.close(); }

    /// HTTP requests that were sent, redirected and repeated ones included.
    std::uint64_t requests() const { return requests_ + (bearer_ ? bearer_->requests() : 0); }

    /// Of these, those repeated because a kept connection was dead.
    std::uint64_t repeated() const { return repeated_; }

  private:
    std::shared_ptr<TextPool> entries();
    boost::asio::awaitable<PageReply> page_at(PathFamily family, const Stream& stream,
                                              PageQuery query, RequestGate& gate);
    boost::asio::awaitable<StatisticsReply> statistics_at(PathFamily family, StatisticsQuery query,
                                                          RequestGate& gate);
    // What came: when by the server's clock, and what to say of it in the log.
    struct Received {
        std::optional<Instant> date;
        std::string line{};
        bool is_html = false;  ///< as it says itself
    };
    boost::asio::awaitable<Received> get(std::string path, std::string query, http::BodySink& sink,
                                         RequestGate& gate);
    boost::asio::awaitable<Answer> ask(std::string path, std::string query, const Secret* bearer,
                                       RequestGate& gate);
    boost::asio::awaitable<Answer> ask_once(http::Request request, RequestGate& gate,
                                            Monotonic& begun);
    boost::asio::awaitable<void> read_page(Answer& answer, std::string path, http::BodySink& sink);
    std::string redirected(const Answer& answer, const std::string& path, std::string& query) const;
    std::unique_ptr<Bearer> make_bearer();
    http::Route route() const;

    ApiError failed(ErrorKind kind, const std::string& path, const std::string& why) const;
    ApiError refused(const std::string& path, const http::ReplyHeader& header,
                     const std::optional<std::string>& message, bool is_identity) const;
    std::string shown(std::string_view from_the_server) const;
    std::string line_of(const std::string& path, const std::string& result, Monotonic begun) const;
    Clock& clock() const;
    RequestObserver& observer() const;

    HttpOptions options_;
    Secrets secrets_;  // all so far: a reply may repeat the one that it was asked with
    std::shared_ptr<http::TlsTrust> trust_;
    std::unique_ptr<Bearer> bearer_;  // of version 4
    http::ConnectionPool pool_;
    Semaphore semaphore_;
    PathChoice paths_;
    std::optional<PathFamily> statistics_path_;           // where they were answered
    std::vector<std::unique_ptr<PageDecoder>> decoders_;  // that rest
    // Of all pages: the same user agents come again and again.
    std::shared_ptr<TextPool> entries_ = std::make_shared<TextPool>();
    std::uint64_t requests_ = 0;
    std::uint64_t repeated_ = 0;
};

}  // namespace mirror::copernica
