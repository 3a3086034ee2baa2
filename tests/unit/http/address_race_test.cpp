// Real sockets: addresses of this machine that answer, refuse, or say nothing.
#include "core/http/address_race.hpp"

#include <arpa/inet.h>
#include <exception>
#include <netinet/in.h>
#include <optional>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <doctest/doctest.h>

#include "tests/support/loopback_listener.hpp"

using namespace mirror::http;
using namespace std::chrono_literals;
using boost::asio::ip::tcp;
namespace asio = boost::asio;

namespace {

// Its queue of connections is full: an attempt to connect is neither accepted nor refused.
class SilentAddress {
  public:
    SilentAddress() : listener_(0) {
        for (int i = 0; i < 4; ++i) {
            const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
            sockaddr_in address{};
            address.sin_family = AF_INET;
            address.sin_port = htons(listener_.port());
            address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            ::connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address);
            clients_.push_back(client);
        }
    }
    ~SilentAddress() {
        for (const int client : clients_) {
            ::close(client);
        }
    }
    SilentAddress(const SilentAddress&) = delete;
    SilentAddress& operator=(const SilentAddress&) = delete;

    tcp::endpoint endpoint() const { return {asio::ip::address_v4::loopback(), listener_.port()}; }

  private:
    mirror::test::LoopbackListener listener_;
    std::vector<int> clients_;
};

// One where nobody listens.
tcp::endpoint refusing() {
    return {asio::ip::address_v4::loopback(), mirror::test::LoopbackListener(1).port()};
}

struct Outcome {
    std::optional<tcp::endpoint> peer;
    std::string why;
};

Outcome race(const std::vector<tcp::endpoint>& addresses, Timeouts timeouts = {},
             bool cancel = false) {
    asio::io_context loop;
    asio::cancellation_signal signal;
    Outcome outcome;
    auto connect = [&]() -> asio::awaitable<void> {
        std::vector<tcp::endpoint> all = addresses;
        const tcp::socket socket = co_await connect_first(
            std::move(all), timeouts, std::chrono::steady_clock::now() + timeouts.connect);
        outcome.peer = socket.remote_endpoint();
    };
    asio::co_spawn(
        loop, connect(),
        asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& error) {
            try {
                if (error) {
                    std::rethrow_exception(error);
                }
            } catch (const boost::system::system_error& failed) {
                outcome.why = failed.code().message();
            } catch (const std::runtime_error& failed) {
                outcome.why = failed.what();
            }
        }));
    if (cancel) {
        asio::post(loop, [&] { signal.emit(asio::cancellation_type::terminal); });
    }
    loop.run();  // to its end: nothing may be left over
    return outcome;
}

}  // namespace

TEST_CASE("addresses: the first that answers, whatever the others do") {
    const mirror::test::LoopbackListener listener(8);
    const tcp::endpoint good{asio::ip::address_v4::loopback(), listener.port()};
    const SilentAddress silent;
    const std::vector<std::vector<tcp::endpoint>> rows{
        {good},
        {refusing(), good},
        {refusing(), refusing(), good, refusing()},
        {silent.endpoint(), good},
        {silent.endpoint(), refusing(), good},
        {good, silent.endpoint()},
    };
    for (const auto& addresses : rows) {
        const Outcome outcome = race(addresses);
        CHECK(outcome.peer == good);
        CHECK(outcome.why == "");
    }
}

TEST_CASE("addresses: none that answers") {
    const SilentAddress silent;
    Timeouts short_ones;
    short_ones.address = 50ms;
    short_ones.next_address = 10ms;
    CHECK(race({refusing(), refusing()}).why == "Connection refused");
    CHECK(race({silent.endpoint()}, short_ones).why == "no answer to the connection");
    CHECK(race({silent.endpoint(), silent.endpoint()}, short_ones).why ==
          "no answer to the connection");
    CHECK(race({}).why == "no address");
    short_ones.address = 10s;
    short_ones.connect = 50ms;
    CHECK(race({silent.endpoint(), silent.endpoint()}, short_ones).why ==
          "no answer to the connection");
}

TEST_CASE("addresses: a race that is cancelled ends, and leaves nothing") {
    const SilentAddress silent;
    const Outcome outcome = race({silent.endpoint(), silent.endpoint()}, {}, true);
    CHECK_FALSE(outcome.peer.has_value());
    CHECK(outcome.why == "Operation canceled");
}
