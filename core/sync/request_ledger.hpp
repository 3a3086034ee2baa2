// Every request counts: in the file, by UTC day, and against the day's budget.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>

#include "core/copernica/api.hpp"
#include "core/copernica/errors.hpp"
#include "core/plan/request_budget.hpp"
#include "core/sync/store.hpp"
#include "core/time/clock.hpp"

namespace mirror::sync {

/// The day's budget is used up, or what is left is kept for more urgent requests.
class BudgetSpent : public copernica::ApiFailed {
  public:
    using ApiFailed::ApiFailed;
};

class RequestLedger {
  public:
    /// `limit`: requests a UTC day, of all processes on the file; 0: no limit.
    /// `streams`: how many share the budget.
    RequestLedger(Store& store, Clock& clock, std::uint64_t limit, unsigned streams = 1)
        : store_(store), clock_(clock), limit_(limit), streams_(streams) {}

    /// The file is ours: from now on, requests are written there. Those made before count, too. A
    /// second call does nothing.
    boost::asio::awaitable<void> open();

    /// Before the first request, while it is not known whether the file is ours: writes nothing.
    /// Throws BudgetSpent if today's budget is used up.
    boost::asio::awaitable<void> refuse_if_spent();

    /// Before each request. Throws BudgetSpent if none is left.
    boost::asio::awaitable<void> spend();

    /// Writes down what is not written yet, and gives back what was not used.
    boost::asio::awaitable<void> flush();
    /// The same, if it was not done for an hour; for some minutes more `beside_much`, since a poll
    /// that has read old rows again has written enough.
    boost::asio::awaitable<void> flush_if_due(bool beside_much);

    /// What is known of today; `at_work` requests may still be made by windows at work.
    plan::BudgetState state(Seconds poll_interval, std::uint64_t at_work) const;

    /// Why nothing, or nothing of less urgency, is asked today, for people.
    std::string why_spent() const;

  private:
    boost::asio::awaitable<void> take_block();
    boost::asio::awaitable<void> write(Instant day, std::int64_t change);

    Store& store_;
    Clock& clock_;
    std::uint64_t limit_;
    unsigned streams_;
    bool open_ = false;
    std::int64_t unwritten_ = 0;  ///< made, and not in the file yet
    std::int64_t in_hand_ = 0;    ///< in the file, and not made yet
    Instant day_{};               ///< of what is unwritten or in hand
    std::uint64_t used_ = 0;      ///< of that day, as last seen
    Monotonic flush_at_{};
};

/// The API, with every request counted.
class CountedApi final : public copernica::Api {
  public:
    CountedApi(copernica::Api& api, RequestLedger& ledger) : api_(api), ledger_(ledger) {}

    boost::asio::awaitable<copernica::PageReply> page(const Stream& stream,
                                                      copernica::PageQuery query,
                                                      copernica::RequestGate& gate) override {
        Gate counting(ledger_, gate);
        co_return co_await api_.page(stream, query, counting);
    }

    boost::asio::awaitable<copernica::Identity> identity(copernica::RequestGate& gate) override {
        Gate counting(ledger_, gate);
        co_return co_await api_.identity(counting);
    }

    boost::asio::awaitable<copernica::StatisticsReply> statistics(
        copernica::StatisticsQuery query, copernica::RequestGate& gate) override {
        Gate counting(ledger_, gate);
        co_return co_await api_.statistics(std::move(query), counting);
    }

    int version() const override { return api_.version(); }
    std::optional<copernica::PathFamily> paths_of(const Stream& stream) const override {
        return api_.paths_of(stream);
    }
    void expect_paths(const Stream& stream, copernica::PathFamily family) override {
        api_.expect_paths(stream, family);
    }

  private:
    // One call may take several requests: each passes here.
    class Gate final : public copernica::RequestGate {
      public:
        Gate(RequestLedger& ledger, copernica::RequestGate& next) : ledger_(ledger), next_(next) {}

        boost::asio::awaitable<void> pass() override {
            co_await ledger_.spend();
            co_await next_.pass();
        }

      private:
        RequestLedger& ledger_;
        copernica::RequestGate& next_;
    };

    copernica::Api& api_;
    RequestLedger& ledger_;
};

}  // namespace mirror::sync
