// The server of metrics against clients of all sorts.
#include "daemon/metrics/http_server.hpp"

#include <memory>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <doctest/doctest.h>

#include "tests/support/raw_client.hpp"

using namespace mirror::daemon;
using mirror::test::RawClient;
using mirror::test::RawReply;
namespace asio = boost::asio;

namespace {

asio::awaitable<HttpAnswer> echo(std::string path) {
    if (path == "/here") {
        co_return HttpAnswer(200, "found\n");
    }
    co_return HttpAnswer(404, path + "\n");
}

ListenAddress any_port() {
    return parse_listen_address("127.0.0.1:0").value();
}

// A server on a loop of its own thread. That the thread ends is the test that close() leaves
// nothing behind.
class Serving {
  public:
    explicit Serving(const HttpLimits& limits = {})
        : server_(loop_.get_executor(), any_port(), echo, limits),
          where_(server_.where()),
          thread_([this] { loop_.run(); }) {}
    ~Serving() {
        asio::post(loop_, [this] { server_.close(); });
        thread_.join();
    }
    Serving(const Serving&) = delete;
    Serving& operator=(const Serving&) = delete;

    std::uint16_t port() const { return parse_listen_address(where_).value().port; }

  private:
    asio::io_context loop_;
    HttpServer server_;
    std::string where_;
    std::thread thread_;
};

RawReply reply_to(std::uint16_t port, const std::string& request) {
    RawClient client(port);
    client.send(request);
    return client.receive();
}

bool ended_by_server(const RawClient& client) {
    pollfd end{client.descriptor(), POLLIN, 0};
    char byte = 0;
    return ::poll(&end, 1, 60'000) == 1 && ::recv(client.descriptor(), &byte, 1, 0) <= 0;
}

}  // namespace

TEST_CASE("HTTP server: requests and what is none") {
    const Serving serving;
    const auto port = serving.port();
    const RawReply found = reply_to(port, "GET /here HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(found.status() == 200);
    CHECK(found.body == "found\n");
    CHECK(found.header("Content-Type") == "text/plain; charset=utf-8");
    CHECK(reply_to(port, "GET /here?a=b HTTP/1.1\r\nHost: x\r\n\r\n").body == "found\n");
    CHECK(reply_to(port, "GET /here HTTP/1.0\r\n\r\n").body == "found\n");
    const RawReply none = reply_to(port, "GET /there HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(none.status() == 404);
    CHECK(none.body == "/there\n");
    const RawReply head = reply_to(port, "HEAD /here HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(head.status() == 200);
    CHECK(head.header("Content-Length") == "6");
    CHECK(head.body == "");
    const RawReply post =
        reply_to(port, "POST /here HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    CHECK(post.status() == 405);
    CHECK(post.header("Allow") == "GET, HEAD");
    CHECK(reply_to(port, "DELETE /here HTTP/1.1\r\nHost: x\r\n\r\n").status() == 405);
    CHECK(reply_to(port, "\x16\x03\x01\x02\x01 hello\r\n\r\n").status() == 400);
    CHECK(reply_to(port, "GET /here HTTP/9.9\r\n\r\n").status() == 400);
    const std::string large(9000, 'a');
    CHECK(reply_to(port, "GET /here HTTP/1.1\r\nX: " + large + "\r\n\r\n").status() == 431);
    // One that comes in pieces is one, too; a second one on the same connection is not read.
    RawClient slow(port);
    slow.send("GET /he");
    slow.send("re HTTP/1.1\r\nHost: x\r\n\r\nGET /there HTTP/1.1\r\n\r\n");
    CHECK(slow.receive().body == "found\n");
    CHECK(ended_by_server(slow));
}

TEST_CASE("HTTP server: the silent do not keep it, and the oldest gives way") {
    HttpLimits limits;
    SUBCASE("patience") {
        limits.patience = std::chrono::milliseconds(20);
        const Serving serving(limits);
        const RawClient silent(serving.port());
        CHECK(ended_by_server(silent));
        RawClient half(serving.port());
        half.send("GET /here HTTP/1.1\r\nHo");
        CHECK(ended_by_server(half));
    }
    SUBCASE("too many") {
        limits.connections = 3;
        limits.patience = std::chrono::hours(1);
        const Serving serving(limits);
        std::vector<std::unique_ptr<RawClient>> silent;
        for (int i = 0; i < 3; ++i) {
            silent.push_back(std::make_unique<RawClient>(serving.port()));
        }
        CHECK(reply_to(serving.port(), "GET /here HTTP/1.1\r\nHost: x\r\n\r\n").status() == 200);
        CHECK(ended_by_server(*silent.front()));
    }
    SUBCASE("close() ends them") {
        limits.patience = std::chrono::hours(1);
        auto serving = std::make_unique<Serving>(limits);
        const RawClient silent(serving->port());
        RawClient other(serving->port());
        CHECK(other.get("/here").status() == 200);  // so both have been accepted
        serving.reset();
        CHECK(ended_by_server(silent));
    }
}

TEST_CASE("HTTP server: a port that is taken, and an address that is not here") {
    const Serving serving;
    asio::io_context loop;
    ListenAddress taken = any_port();
    taken.port = serving.port();
    CHECK_THROWS_AS(HttpServer(loop.get_executor(), taken, echo), boost::system::system_error);
    CHECK_THROWS_AS(
        HttpServer(loop.get_executor(), parse_listen_address("192.0.2.1:1").value(), echo),
        boost::system::system_error);
}

TEST_CASE("HTTP server: where to listen, as people write it") {
    struct Case {
        const char* text;
        const char* address;  // "" if it is refused
        std::uint16_t port;
        bool loopback;
    };
    const std::vector<Case> cases{
        {"127.0.0.1:9743", "127.0.0.1", 9743, true},
        {"[::1]:9743", "::1", 9743, true},
        {"localhost:9743", "127.0.0.1", 9743, true},
        {"9743", "127.0.0.1", 9743, true},
        {"127.0.0.1:0", "127.0.0.1", 0, true},
        {"0.0.0.0:65535", "0.0.0.0", 65535, false},
        {"[::]:1", "::", 1, false},
        {"192.0.2.7:9743", "192.0.2.7", 9743, false},
        {"", "", 0, false},
        {":9743", "", 0, false},
        {"127.0.0.1", "", 0, false},
        {"127.0.0.1:", "", 0, false},
        {"127.0.0.1:65536", "", 0, false},
        {"127.0.0.1:-1", "", 0, false},
        {"127.0.0.1:97x", "", 0, false},
        {"127.0.0.1: 97", "", 0, false},
        {"::1:9743", "", 0, false},
        {"[127.0.0.1]:9743", "", 0, false},
        {"[::1]", "", 0, false},
        {"example.com:9743", "", 0, false},
        {"http://127.0.0.1:9743", "", 0, false},
    };
    for (const Case& test : cases) {
        CAPTURE(test.text);
        const auto parsed = parse_listen_address(test.text);
        CHECK(parsed.has_value() == (*test.address != '\0'));
        if (parsed) {
            CHECK(parsed->address == test.address);
            CHECK(parsed->port == test.port);
            CHECK(parsed->loopback == test.loopback);
        }
    }
}
