// The API as core/sync sees it, without sockets: a model, with faults.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "core/copernica/api.hpp"
#include "tests/unit/sync/fake_clock.hpp"
#include "tests/unit/sync/model.hpp"

namespace mirror::tests {

/// The model behind the interface, with faults.
class FakeApi final : public copernica::Api {
  public:
    FakeApi(Model& model, FakeClock& clock) : model_(model), clock_(clock) {}

    boost::asio::awaitable<copernica::PageReply> page(const Stream& stream,
                                                      copernica::PageQuery query,
                                                      copernica::RequestGate& gate) override;
    boost::asio::awaitable<copernica::Identity> identity(copernica::RequestGate& gate) override;
    boost::asio::awaitable<copernica::StatisticsReply> statistics(
        copernica::StatisticsQuery query, copernica::RequestGate& gate) override;
    int version() const override { return api_version; }

    /// Called with the number of the request (from 0, both kinds) before each; may throw ApiError.
    std::function<void(const copernica::PageQuery&)> on_page;
    /// Called with the stream of each request for a page; may throw ApiError.
    std::function<void(const Stream&)> on_stream;
    std::function<void()> on_identity;
    /// What it counts; nothing: no mailing that it knows. May throw ApiError.
    std::function<std::optional<std::vector<copernica::EventCount>>(
        const copernica::StatisticsQuery&)>
        on_statistics;
    /// Changes a right reply.
    std::function<void(const copernica::PageQuery&, copernica::Page&)> distort;
    /// The reply's Date; the clock's if it is not set.
    std::function<std::optional<Instant>(Instant)> date;
    std::chrono::milliseconds duration{150};  ///< of one request
    /// What each row takes longer that `start` skips.
    std::chrono::microseconds skip_cost{0};
    bool side_by_side = false;  ///< requests that overlap take no longer than one of them
    /// The pages of these numbers are empty.
    std::uint64_t empty_from = 0;
    std::uint64_t empty_count = 0;
    /// So are those for which this is true.
    std::function<bool(std::uint64_t)> empty_when;
    /// More is a run that does not end.
    std::uint64_t most_requests = 20'000;

    int api_version = 3;

    std::uint64_t pages = 0;
    std::uint64_t identities = 0;
    std::uint64_t totals = 0;
    std::uint64_t statistics_calls = 0;

  private:
    boost::asio::awaitable<void> pass_time(std::uint64_t skipped = 0);

    Model& model_;
    FakeClock& clock_;
};

}  // namespace mirror::tests
