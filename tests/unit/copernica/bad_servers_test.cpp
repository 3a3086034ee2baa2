// HttpApi against servers that speak no HTTP, or too much of it.

#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/fault_table.hpp"
#include "tests/unit/http/gzip.hpp"
#include "tests/unit/http/http_client.hpp"
#include "tests/unit/http/scripted_server.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace mirror::http;
using namespace mirror::test;

TEST_CASE("a reply that is cut off anywhere is tried again") {
    FaultClass fault("server", "a reply cut at any byte");
    const std::string whole[] = {
        good(),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(page_body.substr(0, 20)) +
            chunk(page_body.substr(20)) + "0\r\n\r\n",
        reply("200 OK", "Content-Encoding: gzip\r\n", gzip(page_body)),
    };
    for (const std::string& raw : whole) {
        for (std::size_t length = 0; length < raw.size(); ++length) {
            CAPTURE(raw.substr(0, length));
            fault.begin();
            const Outcome outcome = get_page(
                raw.substr(0, length), length % 2 == 0 ? Script::End::close : Script::End::reset);
            REQUIRE(outcome.error.has_value());
            REQUIRE(outcome.error->kind() == ErrorKind::try_again);
            fault.passed();
        }
    }
}

namespace {

struct BadReply {
    const char* fault;  // its class
    std::string raw;
    ErrorKind kind;
    const char* why;
};

void check(const std::vector<BadReply>& rows) {
    for (const BadReply& row : rows) {
        CAPTURE(row.raw.substr(0, 200));
        FaultClass fault("server", row.fault);
        fault.begin();
        if (check_error(get_page(row.raw), row.kind, row.why)) {
            fault.passed();
        }
    }
}

const std::string ok = "HTTP/1.1 200 OK\r\n";
const std::string length = "Content-Length: " + std::to_string(page_body.size()) + "\r\n";
const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
const std::string in_chunks = chunk(page_body) + "0\r\n\r\n";
constexpr auto try_again = ErrorKind::try_again;
constexpr auto not_right = ErrorKind::invalid_response;

std::string repeated(const std::string& text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) {
        all += text;
    }
    return all;
}

std::string gzipped(const std::string& packed) {
    return reply("200 OK", "Content-Encoding: gzip\r\n", packed);
}

}  // namespace

TEST_CASE("bad servers: heads that are none, or have no measure") {
    const char* const status = "a status line that is none";
    const char* const header = "a header that is none";
    const char* const measure = "a header without measure";
    check({
        {status, "garbage\r\n\r\n", try_again, "not HTTP"},
        {status, "\x16\x03\x01", try_again, ""},
        {status, "HTTP/1.1 2000 OK\r\n\r\n", try_again, "not HTTP"},
        {status, "HTTP/1.1 20 OK\r\n\r\n", try_again, "not HTTP"},
        {status, "HTTP/1.1 -200 OK\r\n\r\n", try_again, "not HTTP"},
        {status, "HTTP/3.1 200 OK\r\n" + length + "\r\n" + page_body, try_again, "not HTTP"},
        {status, "http/1.1 200 OK\r\n" + length + "\r\n" + page_body, try_again, "not HTTP"},
        {status, "ICY 200 OK\r\n" + length + "\r\n" + page_body, try_again, "not HTTP"},
        {status, " HTTP/1.1 200 OK\r\n" + length + "\r\n" + page_body, try_again, "not HTTP"},
        {status, repeated("HTTP/1.1 100 Continue\r\n\r\n", 8) + good(), try_again, "interim"},
        {status, "HTTP/1.1 101 Switching Protocols\r\n\r\n" + good(), try_again, "interim"},
        {"HTTP/0.9", page_body, try_again, "not HTTP"},
        {"HTTP/0.9", "", try_again, "connection closed"},
        {"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n" + page_body, try_again, "no length"},
        {header, ok + "no colon\r\n" + length + "\r\n" + page_body, try_again, "not HTTP"},
        {header, ok + ": no name\r\n" + length + "\r\n" + page_body, try_again, "not HTTP"},
        {header, ok + "A space : x\r\n" + length + "\r\n" + page_body, try_again, "not HTTP"},
        {header, ok + "X: nul" + std::string(1, '\0') + "\r\n" + length + "\r\n" + page_body,
         try_again, "not HTTP"},
        {measure, ok + "X: " + std::string(100'000, 'x') + "\r\n" + length + "\r\n" + page_body,
         try_again, "header of the reply is too large"},
        {measure, ok + std::string(100'000, 'x'), try_again, "header of the reply is too large"},
        {measure, std::string(100'000, 'x'), try_again, ""},
        {measure, "HTTP/1.1 200 " + std::string(100'000, 'x'), try_again,
         "header of the reply is too large"},
        {measure, ok + repeated("X-Many: 1\r\n", 10'000) + length + "\r\n" + page_body, try_again,
         "header of the reply is too large"},
        {measure, ok + repeated("X:\r\n", 20'000) + length + "\r\n" + page_body, try_again,
         "header of the reply is too large"},
    });
}

TEST_CASE("bad servers: bodies whose end cannot be known") {
    const char* const lengths = "a Content-Length that is none";
    const char* const sizes = "a bad chunk size";
    const char* const both = "chunked with Content-Length";
    const char* const codings = "a Transfer-Encoding that is unknown";
    const auto with_length = [](const std::string& text) {
        return ok + "Content-Length: " + text + "\r\n\r\n" + page_body;
    };
    const auto with_coding = [](const std::string& text) {
        return ok + "Transfer-Encoding: " + text + "\r\n\r\n" + in_chunks;
    };
    check({
        {"no length", ok + "\r\n" + page_body, try_again, "no length"},
        {lengths, with_length("-1"), try_again, "not HTTP"},
        {lengths, with_length("0x5b"), try_again, "not HTTP"},
        {lengths, with_length("+5"), try_again, "not HTTP"},
        {lengths, with_length("5 5"), try_again, "not HTTP"},
        {lengths, with_length("1e3"), try_again, "not HTTP"},
        {lengths, with_length(""), try_again, ""},
        {lengths, with_length("18446744073709551616"), try_again, "not HTTP"},
        {lengths, with_length("99999999999999999999999"), try_again, "not HTTP"},
        {"two Content-Lengths", ok + length + "Content-Length: 3\r\n\r\n" + page_body, try_again,
         "not HTTP"},
        {"two Content-Lengths", ok + "Content-Length: 3\r\n" + length + "\r\n" + page_body,
         try_again, "not HTTP"},
        {"two Content-Lengths", with_length("3, 5"), try_again, "not HTTP"},
        {both, ok + length + "Transfer-Encoding: chunked\r\n\r\n" + in_chunks, try_again,
         "not HTTP"},
        {both, ok + "Transfer-Encoding: chunked\r\n" + length + "\r\n" + in_chunks, try_again,
         "not HTTP"},
        {codings, with_coding("gzip"), try_again, "no length"},
        {codings, with_coding("identity"), try_again, "no length"},
        {codings, with_coding("chunked, gzip"), try_again, "no length"},
        {codings, with_coding("xchunked"), try_again, "no length"},
        {sizes, chunked + "zz\r\nabc", try_again, "not HTTP"},
        {sizes, chunked + "\r\nabc", try_again, "not HTTP"},
        {sizes, chunked + "-5\r\n" + page_body + "\r\n0\r\n\r\n", try_again, "not HTTP"},
        {sizes, chunked + "0x5\r\n" + page_body + "\r\n0\r\n\r\n", try_again, "not HTTP"},
        {sizes, chunked + " 5\r\n" + page_body + "\r\n0\r\n\r\n", try_again, "not HTTP"},
        {sizes, chunked + "ffffffffffffffffff\r\nabc", try_again, "not HTTP"},
        {sizes, chunked + "7fffffffffffffff\r\n{", try_again, "connection closed"},
        {sizes, chunked + "2\r\n{}xx0\r\n\r\n", try_again, ""},
        {sizes, chunked + "1;" + std::string(200'000, 'x') + "\r\n{\r\n", try_again, "too large"},
        {"a body without end", chunked + chunk(page_body) + "0\r\n" + repeated("X: 1\r\n", 50'000),
         try_again, "too large"},
        {"a body without end", good(page_body + std::string(std::size_t{33} << 20, ' ')), not_right,
         "too large"},
        {"a body without end", chunked + chunk(page_body) + repeated(chunk(" "), 6 << 20),
         not_right, "too large"},
        {"chunked, cut early", chunked + chunk(page_body), try_again, "connection closed"},
        {"chunked, cut early", chunked + chunk(page_body) + "0\r\n", try_again,
         "connection closed"},
        {"chunked, cut early", chunked + chunk(page_body).substr(0, 30), try_again,
         "connection closed"},
    });
}

TEST_CASE("bad servers: bodies that are complete and wrong") {
    const char* const after = "bytes after the body";
    const char* const wrong = "gzip, wrong or doubled";
    const std::string packed = gzip(page_body);
    std::string bad_sum = packed;
    bad_sum[packed.size() - 8] = static_cast<char>(bad_sum[packed.size() - 8] ^ 1);
    std::string bad_size = packed;
    bad_size.back() = static_cast<char>(bad_size.back() ^ 1);
    std::string endless_name = packed.substr(0, 10);
    endless_name[3] = 0x08;  // FNAME: a file's name, up to a NUL
    endless_name += std::string(std::size_t{40} << 20, 'x');
    check({
        {"no page", good(""), not_right, "empty"},
        {"no page", good("[]"), not_right, "not a JSON object"},
        {"no page", good("<html>Loadbalancer Error</html>"), not_right, "not JSON"},
        {"no page", good(page_body.substr(0, 30)), not_right, "cut off"},
        {after, good(page_body + "x"), not_right, "follows"},
        {after, good(page_body + page_body), not_right, "follows"},
        {after, good(page_body + std::string(1, '\0')), not_right, "follows"},
        {wrong, gzipped(page_body), not_right, "damaged"},
        {wrong, gzipped(gzip(packed)), not_right, "not JSON"},
        {wrong, gzipped(packed + packed), not_right, "follows the end of the gzip stream"},
        {wrong, gzipped(packed + "x"), not_right, "follows the end of the gzip stream"},
        {wrong, gzipped(bad_sum), not_right, "damaged"},
        {wrong, gzipped(bad_size), not_right, "damaged"},
        {wrong, gzipped(""), not_right, "cut off"},
        {wrong, gzipped(endless_name), not_right, "too large"},
        {wrong, good(packed), not_right, "not JSON"},
        {wrong, reply("200 OK", "Content-Encoding: br\r\n", page_body), not_right,
         "Content-Encoding: br"},
        {wrong, reply("200 OK", "Content-Encoding: gzip, gzip\r\n", gzip(packed)), not_right,
         "Content-Encoding: gzip, gzip"},
        {wrong, reply("200 OK", "Content-Encoding: deflate\r\n", page_body), not_right,
         "Content-Encoding: deflate"},
        {"gzip, cut", gzipped(packed.substr(0, packed.size() - 1)), not_right, "cut off"},
        {"gzip, cut", gzipped(packed.substr(0, 5)), not_right, "cut off"},
        {"a gzip bomb, 100 MB", gzipped(gzip(page_body + std::string(std::size_t{100} << 20, ' '))),
         not_right, "too large"},
        {"a status that makes no sense", reply("204 No Content", "", ""), not_right,
         "HTTP status 204"},
        {"a status that makes no sense", reply("206 Partial Content", "", page_body), not_right,
         "206"},
        {"a status that makes no sense", reply("304 Not Modified", "", ""), not_right, "304"},
        {"a status that makes no sense", reply("600 What", "", ""), try_again, "600"},
    });
}

TEST_CASE("bad servers: those that hang") {
    FaultClass fault("server", "accepted and never answered");
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
    const auto short_time = std::chrono::milliseconds(30);
    for (const std::string& raw : {std::string(), std::string("HTTP/1.1 2"), head, head + "{"}) {
        CAPTURE(raw);
        ScriptedServer server({Script{{raw}, Script::End::wait}, Script{{raw}, Script::End::wait}});
        HttpOptions silence = options_for(server);
        silence.timeouts.silence = short_time;
        fault.begin();
        if (check_error(get_page(silence), ErrorKind::try_again, "no byte for too long")) {
            fault.passed();
        }
        HttpOptions request = options_for(server);
        request.timeouts.request = short_time;
        fault.begin();
        if (check_error(get_page(request), ErrorKind::try_again, "took too long")) {
            fault.passed();
        }
    }
    ScriptedServer server({Script{{}, Script::End::wait}});
    HttpOptions tls(parse_base_url("https://127.0.0.1:" + std::to_string(server.port())),
                    Secret(token));
    tls.timeouts.connect = short_time;
    fault.begin();
    if (check_error(get_page(tls), ErrorKind::try_again, "no answer to the TLS handshake")) {
        fault.passed();
    }
}

TEST_CASE("bad servers: one byte now and then is not progress") {
    // Never silent for long; what is bounded is the request, and the way to TLS.
    FaultClass fault("server", "one byte at a time");
    const std::string status = "HTTP/1.1 503 Busy\r\nContent-Length: 1000000\r\n\r\n";
    struct Row {
        std::string begin;
        const char* why;
    };
    const Row rows[] = {
        {"HTTP/1.1 200 OK\r\nX: ", "the request took too long"},
        {ok + "Content-Length: 1000000\r\n\r\n{", "the request took too long"},
        {chunked + "ffffff\r\n{", "the request took too long"},
        {status, "HTTP status 503"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.begin);
        fault.begin();
        ScriptedServer server({Script{{row.begin}, Script::End::drip}});
        HttpOptions options = options_for(server);
        options.timeouts.silence = std::chrono::minutes(10);
        options.timeouts.request = std::chrono::milliseconds(50);
        if (check_error(get_page(options), ErrorKind::try_again, row.why)) {
            fault.passed();
        }
    }
    fault.begin();
    // The first bytes of a long record of TLS, whose end does not come.
    ScriptedServer server({Script{{}, Script::End::drip, "\x16\x03\x03\x3f\xff\x02"}});
    HttpOptions options(parse_base_url("https://127.0.0.1:" + std::to_string(server.port())),
                        Secret(token));
    options.timeouts.connect = std::chrono::milliseconds(50);
    if (check_error(get_page(options), ErrorKind::try_again, "no answer to the TLS handshake")) {
        fault.passed();
    }
}
