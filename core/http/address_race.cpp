#include "core/http/address_race.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "core/http/address_order.hpp"

namespace mirror::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Time = std::chrono::steady_clock::time_point;

struct Attempt {
    explicit Attempt(const asio::any_io_executor& executor, Time end)
        : socket(executor), give_up(end) {}
    tcp::socket socket;
    Time give_up;
    std::optional<error_code> result;
};

// Ends all attempts but the one that is taken out of it. Their handlers come later, and hold what
// they need.
class Race {
  public:
    explicit Race(const asio::any_io_executor& executor)
        : executor_(executor), wake_(std::make_shared<asio::steady_timer>(executor)) {}
    ~Race() {
        for (const auto& attempt : attempts_) {
            close(*attempt);
        }
    }
    Race(const Race&) = delete;
    Race& operator=(const Race&) = delete;

    void start(const tcp::endpoint& address, Time give_up) {
        auto attempt = std::make_shared<Attempt>(executor_, give_up);
        attempt->socket.async_connect(address, [attempt, wake = wake_](const error_code& error) {
            attempt->result = error;
            wake->cancel();
        });
        attempts_.push_back(std::move(attempt));
    }

    // The first that is connected.
    std::optional<tcp::socket> winner() {
        for (const auto& attempt : attempts_) {
            if (attempt->result == error_code()) {
                return std::move(attempt->socket);
            }
        }
        return std::nullopt;
    }

    // Takes out what has failed, or takes too long. Nothing if there is none; else why the last.
    std::optional<std::string> failures(Time now) {
        std::optional<std::string> why;
        std::erase_if(attempts_, [&](const std::shared_ptr<Attempt>& attempt) {
            if (!attempt->result && now < attempt->give_up) {
                return false;
            }
            why = attempt->result ? attempt->result->message() : "no answer to the connection";
            close(*attempt);
            return true;
        });
        return why;
    }

    std::size_t running() const { return attempts_.size(); }

    Time first_end() const {
        Time first = Time::max();
        for (const auto& attempt : attempts_) {
            first = std::min(first, attempt->give_up);
        }
        return first;
    }

    // Until then, or until an attempt has a result.
    asio::awaitable<void> wait(Time end) {
        wake_->expires_at(end);
        co_await wake_->async_wait(asio::as_tuple(asio::use_awaitable));
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) {
            throw boost::system::system_error(asio::error::operation_aborted);
        }
    }

  private:
    static void close(Attempt& attempt) {
        error_code ignored;
        attempt.socket.close(ignored);
    }

    asio::any_io_executor executor_;
    std::shared_ptr<asio::steady_timer> wake_;
    std::vector<std::shared_ptr<Attempt>> attempts_;
};

}  // namespace

asio::awaitable<tcp::socket> connect_first(std::vector<tcp::endpoint> addresses, Timeouts timeouts,
                                           Time deadline) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    Race race(executor);
    std::string why = "no address";
    std::size_t started = 0;
    RaceState state;
    for (;;) {
        if (std::optional<tcp::socket> connected = race.winner()) {
            co_return std::move(*connected);
        }
        const Time now = std::chrono::steady_clock::now();
        if (const auto failed = race.failures(now)) {
            why = *failed;
            state.last_start = now - timeouts.next_address;  // it is the next one's turn
        }
        if (now >= deadline) {
            throw std::runtime_error(race.running() > 0 ? "no answer to the connection" : why);
        }
        state.running = race.running();
        state.left = addresses.size() - started;
        const auto next = next_start(state, now, timeouts.next_address);
        if (next && *next <= now) {
            state.last_start = now;
            race.start(addresses[started++], std::min(deadline, now + timeouts.address));
            continue;
        }
        if (race.running() == 0) {
            throw std::runtime_error(why);
        }
        const Time end = std::min(race.first_end(), next.value_or(deadline));
        co_await race.wait(std::min(end, deadline));
    }
}

}  // namespace mirror::http
