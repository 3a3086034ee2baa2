// Rate-limited, validated requests, timed by the server's clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "core/copernica/api.hpp"
#include "core/copernica/api_access.hpp"
#include "core/copernica/client_options.hpp"
#include "core/copernica/request_observer.hpp"
#include "core/copernica/retry_policy.hpp"
#include "core/copernica/throttle.hpp"

namespace mirror::copernica {

/// A reply that is plainly right.
struct FetchedPage {
    FetchedPage() = default;
    FetchedPage(Page fetched_page, Instant until, std::chrono::nanoseconds request_took)
        : page(std::move(fetched_page)), valid_until(until), took(request_took) {}

    Page page;
    Instant valid_until{};            ///< server's clock: the reply proves nothing later
    std::chrono::nanoseconds took{};  ///< from the permission to ask to the end of the reply
};

/// What the API counts of a mailing; or neither, if it knows no such mailing.
struct FetchedStatistics {
    std::optional<std::vector<EventCount>> counts;  ///< in the order of the query's streams
    std::optional<std::string> failed;              ///< why they could not be had, for people
};

/// The calls of one stream.
class Client {
  public:
    /// `observer` has the lines about this stream. All must outlive it.
    Client(ApiAccess& access, RequestObserver& observer, const Stream& stream);

    /// One call. Throws ApiError, also if the reply is not plainly right. Many unusable records
    /// are believed if a second reply has the same ones.
    boost::asio::awaitable<FetchedPage> page(PageQuery query, Seconds slack,
                                             Lane lane = Lane::backlog);
    boost::asio::awaitable<Identity> identity(Lane lane = Lane::backlog);

    /// The same, again and again until it is answered. Throws what ends a run
    /// (copernica/errors.hpp).
    boost::asio::awaitable<FetchedPage> fetch_with_retry(PageQuery query, Seconds slack);
    boost::asio::awaitable<Identity> identity_with_retry();

    /// As fetch_with_retry(), but nothing if this request is refused, or failed so often while
    /// another is answered.
    boost::asio::awaitable<std::optional<FetchedPage>> fetch_unless_at_fault(
        PageQuery query, Seconds slack, int most_failures = failures_before_giving_up);

    /// What the API counts of a mailing, asked again and again. It says why not if this request is
    /// refused or keeps failing while another is answered. Throws what ends a run.
    boost::asio::awaitable<FetchedStatistics> statistics_unless_at_fault(StatisticsQuery query);

    /// A request that failed, and how often in a row.
    struct Failed {
        ApiError error;
        int failures = 1;     ///< of this request; replies of 429 do not count
        int probe_after = 0;  ///< failures after which another one is tried; 0: never
        Lane lane = Lane::backlog;
        bool of_statistics = false;  ///< which the token may have no right to
    };

    /// What is to be done about it, by retry_policy.hpp: true if the same request is to be made
    /// again, after the pause that this waits for; false if the fault is the request's: others are
    /// answered. Throws what ends a run.
    boost::asio::awaitable<bool> is_worth_retrying(Failed failed);

    /// For a request that is not repeated after it failed. Throws ApiFailed if nothing has
    /// succeeded for `give_up_after`.
    void throw_if_patience_is_over(const ApiError& error) const;

    Instant server_now() const { return access_.server_now(); }
    bool server_clock_known() const { return access_.server_clock().accepted(); }

    /// The end of what can be complete now: settled, and not inside the hour that occurs twice.
    Instant settled() const;

    Monotonic monotonic() const { return access_.clock().monotonic(); }

    /// Why requests fail for some time now; nothing while they do not.
    const std::optional<std::string>& outage() const { return access_.outage(); }
    /// Waits until there is an outage.
    boost::asio::awaitable<void> outage_begins() { return access_.outage_begins(); }

    /// From now on, a connection is kept free for Lane::tail, if there are two or more.
    void keep_connection_for_tail() { access_.throttle().keep_connection_for_tail(); }

    /// Requests that this client made.
    std::uint64_t requests() const { return requests_; }
    /// Requests a second that the API takes: less than configured after replies of 429.
    double rate() const { return access_.throttle().rate(); }

  private:
    boost::asio::awaitable<FetchedPage> ask_page(PageQuery query, Seconds slack, Lane lane,
                                                 bool concerns_all);
    boost::asio::awaitable<FetchedPage> ask_page_and_token(PageQuery query, Seconds slack,
                                                           Lane lane, bool concerns_all);
    boost::asio::awaitable<PageReply> ask_twice_if_doubtful(PageQuery query, Seconds slack,
                                                            RequestGate& gate);
    boost::asio::awaitable<PageReply> ask_valid(PageQuery query, Seconds slack, RequestGate& gate);
    boost::asio::awaitable<StatisticsReply> ask_statistics(StatisticsQuery query);
    boost::asio::awaitable<bool> api_answers_others(Lane lane);
    boost::asio::awaitable<bool> token_is_refused(Lane lane);
    FailedRequest how_it_is(const Failed& failed) const;
    void throw_if_fatal(const Failed& failed) const;
    [[noreturn]] void throw_no_success(const ApiError& last) const;
    boost::asio::awaitable<Identity> ask_identity(Lane lane, bool ends_trouble);

    ApiAccess& access_;
    RequestObserver& observer_;
    const Stream& stream_;
    const ClientOptions& options_;
    std::uint64_t requests_ = 0;
    int refusals_ = 0;            // in a row, though identity does not refuse the token
    int refused_statistics_ = 0;  // the same, of statistics
    bool unusable_told_ = false;
    bool unusual_form_told_ = false;
};

}  // namespace mirror::copernica
