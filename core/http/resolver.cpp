#include "core/http/resolver.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <netdb.h>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace mirror::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using boost::system::system_error;

struct Addresses {
    error_code error;
    std::vector<tcp::endpoint> endpoints;
};

error_code error_of(int result) {
    switch (result) {
        case EAI_AGAIN:
            return asio::error::host_not_found_try_again;
        case EAI_NONAME:
        case EAI_NODATA:
        case EAI_ADDRFAMILY:
            return asio::error::host_not_found;
        case EAI_MEMORY:
            return asio::error::no_memory;
        case EAI_SYSTEM:
            return {errno, boost::system::system_category()};
        default:
            return asio::error::no_recovery;
    }
}

// Blocks.
Addresses look_up(const std::string& host, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG;
    addrinfo* list = nullptr;
    const int result = getaddrinfo(host.c_str(), nullptr, &hints, &list);
    Addresses found;
    if (result != 0) {
        found.error = error_of(result);
        return found;
    }
    for (const addrinfo* item = list; item != nullptr; item = item->ai_next) {
        tcp::endpoint endpoint;
        if (item->ai_addrlen > endpoint.capacity()) {
            continue;
        }
        std::memcpy(endpoint.data(), item->ai_addr, item->ai_addrlen);
        endpoint.resize(item->ai_addrlen);
        endpoint.port(port);
        found.endpoints.push_back(endpoint);
    }
    freeaddrinfo(list);
    if (found.endpoints.empty()) {
        found.error = asio::error::host_not_found;
    }
    return found;
}

// What the thread holds. `deliver` is there as long as somebody waits.
struct Question {
    std::mutex mutex;
    std::function<void(Addresses)> deliver;
};

// What the coroutine holds; the thread never touches it.
struct Answer {
    explicit Answer(asio::any_io_executor executor) : timer(std::move(executor)) {}
    asio::steady_timer timer;
    bool here = false;
    Addresses addresses;
};

// Takes the delivery back when the waiting ends, however it ends.
class Waiting {
  public:
    explicit Waiting(std::shared_ptr<Question> question) : question_(std::move(question)) {}
    ~Waiting() {
        const std::lock_guard lock(question_->mutex);
        question_->deliver = nullptr;
    }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

  private:
    std::shared_ptr<Question> question_;
};

// Signals are for the main thread.
void start_thread(std::function<void()> work) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        std::thread(std::move(work)).detach();
    } catch (const std::system_error& error) {
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
        throw system_error(error_code(error.code()));
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace

asio::awaitable<std::vector<tcp::endpoint>> resolve(
    std::string host, std::uint16_t port, std::chrono::steady_clock::time_point deadline) {
    error_code not_an_address;
    const asio::ip::address address = asio::ip::make_address(host, not_an_address);
    if (!not_an_address) {
        co_return std::vector<tcp::endpoint>(1, tcp::endpoint(address, port));
    }

    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const auto answer = std::make_shared<Answer>(executor);
    const auto question = std::make_shared<Question>();
    question->deliver = [executor, answer](Addresses addresses) {
        asio::post(executor, [answer, addresses = std::move(addresses)]() mutable {
            answer->here = true;
            answer->addresses = std::move(addresses);
            answer->timer.cancel();
        });
    };
    const Waiting waiting(question);
    answer->timer.expires_at(deadline);
    start_thread([question, host, port] {
        Addresses addresses = look_up(host, port);
        const std::lock_guard lock(question->mutex);
        if (question->deliver) {
            question->deliver(std::move(addresses));
        }
    });
    const auto [error] = co_await answer->timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (answer->here) {
        if (answer->addresses.error) {
            throw system_error(answer->addresses.error);
        }
        co_return std::move(answer->addresses.endpoints);
    }
    throw system_error(error ? error_code(asio::error::operation_aborted)
                             : error_code(asio::error::timed_out));
}

}  // namespace mirror::http
