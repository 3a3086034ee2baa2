// The simulated API without sockets: the simulator's own replies, through the real decoder.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "core/copernica/api.hpp"
#include "core/copernica/page_decoder.hpp"
#include "tests/simulator/account.hpp"
#include "tests/simulator/behaviour.hpp"
#include "tests/simulator/fault.hpp"
#include "tests/soak/virtual_clock.hpp"

namespace mirror::soak {

/// What happens to one request, besides what a simulator::Fault says.
struct Trouble {
    std::optional<simulator::Fault> fault;
    /// The reply's Date is wrong by so much; nothing: it has none.
    std::optional<Seconds> date_error = Seconds(0);
    std::chrono::milliseconds latency{40};
};

/// Replies of more records never arrive, as with a balancer's time limit.
struct ReplyLimit {
    std::uint64_t records = 0;
    bool cut = false;  ///< within the body, in place of a 504
};

/// Fails in the ways in which HttpApi does.
class ModelApi final : public copernica::Api {
  public:
    ModelApi(simulator::Account& account, const simulator::Behaviour& behaviour,
             VirtualClock& clock)
        : account_(account), behaviour_(behaviour), clock_(clock) {}

    boost::asio::awaitable<copernica::PageReply> page(const Stream& stream,
                                                      copernica::PageQuery query,
                                                      copernica::RequestGate& gate) override;
    boost::asio::awaitable<copernica::Identity> identity(copernica::RequestGate& gate) override;
    boost::asio::awaitable<copernica::StatisticsReply> statistics(
        copernica::StatisticsQuery query, copernica::RequestGate& gate) override;

    /// Called with each request before it is answered; may be empty.
    std::function<Trouble(const simulator::Request&)> trouble;
    std::optional<ReplyLimit> reply_limit;
    Privacy privacy{};  ///< what is kept of the records
    /// Called when a request arrives at the server; may be empty.
    std::function<void()> on_arrival;

    /// Called with each reply, or what came in its place, in words; may be empty.
    std::function<void(const std::string&)> tell;

    std::uint64_t requests() const { return requests_; }

  private:
    boost::asio::awaitable<std::string> body_of(simulator::Request& request, Trouble& trouble);
    void say(const copernica::PageQuery& query, const std::string& outcome) const;

    simulator::Account& account_;
    const simulator::Behaviour& behaviour_;
    VirtualClock& clock_;
    copernica::PageDecoder decoder_;
    std::uint64_t requests_ = 0;
    std::uint64_t calls_ = 0;
};

}  // namespace mirror::soak
