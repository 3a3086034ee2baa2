// From the bytes of a server to a page: HttpApi over a socket. The input is what the server sends;
// if "\n=====\n" stands in it, the server waits for the next request first.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "core/copernica/http_api.hpp"
#include "core/copernica/query.hpp"
#include "core/util/printable.hpp"
#include "tests/fuzz/page_text.hpp"
#include "tests/fuzz/target.hpp"
#include "tests/support/loopback_listener.hpp"

namespace mirror::fuzz {
namespace {

namespace asio = boost::asio;

const std::string token = "CANARY+/ &token";

class Socket {
  public:
    explicit Socket(int descriptor = -1) : descriptor_(descriptor) {}
    ~Socket() { reset(); }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    int get() const { return descriptor_; }
    bool open() const { return descriptor_ >= 0; }
    void reset(int descriptor = -1) {
        if (open()) {
            ::close(descriptor_);
        }
        descriptor_ = descriptor;
    }

  private:
    int descriptor_;
};

// A server that never waits: the client runs until it has nothing to do, then the server does one
// thing. So the same input does the same each time, and neither can wait for ever.
class Server {
  public:
    explicit Server(std::string_view input) : left_(input) {}

    std::string url() const {
        return "http://127.0.0.1:" + std::to_string(listener_.port()) + "/v3";
    }
    const std::vector<std::string>& requests() const { return requests_; }

    /// False if there is nothing that the server could still do.
    bool step() {
        if (accept() || receive()) {
            return true;
        }
        if (connection_.open() && !ended_) {  // the client waits for more, or rests
            ::shutdown(connection_.get(), SHUT_WR);
            ended_ = true;
            return true;
        }
        return false;
    }

  private:
    bool accept() {
        const int next = listener_.accept();
        if (next < 0) {
            return false;
        }
        connection_.reset(next);
        received_.clear();
        ended_ = false;
        return true;
    }

    bool receive() {
        char buffer[4096];
        const ssize_t bytes =
            connection_.open() ? ::recv(connection_.get(), buffer, sizeof buffer, 0) : -1;
        if (bytes < 0 && errno == EAGAIN) {
            return false;
        }
        if (bytes <= 0) {
            connection_.reset();
            return false;
        }
        received_.append(buffer, static_cast<std::size_t>(bytes));
        for (std::size_t end = 0; (end = received_.find("\r\n\r\n")) != std::string::npos;) {
            requests_.push_back(received_.substr(0, end + 4));
            received_.erase(0, end + 4);
            send_next();
        }
        return true;
    }

    void send_next() {
        constexpr std::string_view divider = "\n=====\n";
        const std::size_t end = left_.find(divider);
        const std::string_view part = left_.substr(0, end);
        left_.remove_prefix(end == std::string_view::npos ? left_.size() : end + divider.size());
        // What does not fit into the socket's buffer is cut off: that is a fault like any other.
        (void)!::send(connection_.get(), part.data(), part.size(), MSG_NOSIGNAL);
    }

    std::string_view left_;
    test::LoopbackListener listener_{8, true};
    Socket connection_;
    std::string received_;
    bool ended_ = false;
    std::vector<std::string> requests_;
};

struct Outcome {
    bool over = false;
    std::optional<std::string> page;  ///< its text
    std::string error;
};

// "%41" → "A", "+" → " ": whatever a server made of the token.
std::string percent_decode(std::string_view text) {
    const auto digit = [](char c) {
        return c >= '0' && c <= '9'   ? c - '0'
               : c >= 'a' && c <= 'f' ? c - 'a' + 10
               : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                      : -1;
    };
    std::string result;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '%' && at + 2 < text.size() && digit(text[at + 1]) >= 0 &&
            digit(text[at + 2]) >= 0) {
            result += static_cast<char>(digit(text[at + 1]) * 16 + digit(text[at + 2]));
            at += 2;
        } else {
            result += text[at];
        }
    }
    return result;
}

void check_error(const copernica::ApiError& error) {
    const std::string message = error.what();
    require(message.find(token) == std::string::npos &&
                percent_decode(message).find(token) == std::string::npos,
            "the token is in an error");
    require(printable(message, message.size()) == message,
            "an error is not one line fit for a terminal");
    require(message.size() < 4096, "an error is long");
    require(!error.retry_after() || *error.retry_after() >= Seconds(0), "a wait below zero");
}

void check_requests(const std::vector<std::string>& requests) {
    const std::string field = "access_token=" + copernica::percent_encode(token);
    // A call follows three redirects, and repeats a request whose kept connection was dead.
    require(requests.size() <= 8, "too many requests");
    for (const std::string& request : requests) {
        require(request.starts_with("GET /"), "no request: " + request);
        // A path may have what looks like one.
        const std::size_t at = request.find('?');
        require(at != std::string::npos && request.compare(at + 1, field.size(), field) == 0,
                "a request without the token: " + request);
        require(request.find("\r\nHost: 127.0.0.1:") != std::string::npos,
                "another host is named: " + request);
        require(std::count(request.begin(), request.end(), '\n') == 6,
                "a request has other lines: " + request);
    }
}

// A reply that says neither how long it is nor where it ends can be cut off unseen.
bool can_show_a_cut(std::string_view input) {
    std::string lower(input);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return lower.find("content-length:") != std::string::npos ||
           lower.find("chunked") != std::string::npos;
}

Outcome get_page(std::string_view input) {
    asio::io_context io;
    Server server(input);
    copernica::OpenGate gate;
    copernica::HttpApi api(
        copernica::HttpOptions(http::parse_base_url(server.url()), Secret(token)));
    Outcome outcome;
    asio::co_spawn(
        io, api.page(streams().front(), copernica::PageQuery{}, gate),
        [&outcome](const std::exception_ptr& exception, const copernica::PageReply& reply) {
            outcome.over = true;
            if (!exception) {
                check_rows(reply.page);
                outcome.page = text_of(reply.page);
                return;
            }
            try {
                std::rethrow_exception(exception);
            } catch (const copernica::ApiError& error) {
                outcome.error = error.what();
                check_error(error);
            }
        });
    // Loopback delivers at once, but may leave it to another thread of the system.
    for (int idle = 0; !outcome.over; ++idle) {
        if (io.poll() > 0 || server.step()) {
            idle = 0;
        } else if (idle > 100) {
            io.run_one_for(std::chrono::milliseconds(1));
        }
        require(idle < 10'000, "the call does not end");
    }
    api.close();
    io.run();
    check_requests(server.requests());
    return outcome;
}

}  // namespace

void reply(std::string_view input) {
    const Outcome whole = get_page(input);
    if (!whole.page) {
        return;
    }
    require(can_show_a_cut(input), "a reply without a length is believed");
    // Cut off anywhere it is the same page, if the cut is behind its end, or none.
    const Outcome cut = get_page(input.substr(0, number_of(input) % input.size()));
    require(!cut.page || cut.page == whole.page, "a reply that is cut off is another page");
}

}  // namespace mirror::fuzz
