#include "tests/simulator/server.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>

#include <doctest/doctest.h>
#include <openssl/ssl.h>
#include <zlib.h>

#include "core/time/text.hpp"
#include "tests/simulator/certificates.hpp"
#include "tests/simulator/wire.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/times.hpp"

using namespace simulator;
using mirror::Instant;
using mirror::Seconds;
using mirror::test::RawClient;
using mirror::test::RawReply;
using mirror::tests::utc;

namespace {

const std::string impressions = "/v3/ms/impressions?access_token=simulated-token";

void fill(Account& account, std::int64_t rows) {
    for (std::int64_t id = 1; id <= rows; ++id) {
        Row row;
        row.id = id;
        row.at = utc("2026-01-10 12:00:00") + Seconds(id);
        account.add(row);
    }
}

std::string gunzip(const std::string& bytes) {
    std::string text(1 << 20, '\0');
    z_stream stream{};
    inflateInit2(&stream, MAX_WBITS + 16);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(text.data());
    stream.avail_out = static_cast<uInt>(text.size());
    const int result = inflate(&stream, Z_FINISH);
    text.resize(stream.total_out);
    inflateEnd(&stream);
    return result == Z_STREAM_END ? text : "not whole";
}

std::string dechunk(const std::string& body) {
    std::string text;
    std::size_t at = 0;
    while (at < body.size()) {
        const std::size_t line = body.find("\r\n", at);
        const std::size_t size = std::stoul(body.substr(at, line - at), nullptr, 16);
        text += body.substr(line + 2, size);
        at = line + 2 + size + 2;
    }
    return text;
}

}  // namespace

TEST_CASE("simulator: a server answers on one connection, and logs what it saw") {
    Account account;
    fill(account, 3);
    Server server(account);
    server.clock().stand_at(utc("2026-11-23 16:00:05"));
    CHECK(server.url() == "http://127.0.0.1:" + std::to_string(server.port()) + "/v3");
    RawClient client(server.port());

    const RawReply reply = client.get(
        impressions + "&begintime=2026-01-10%2013:00:00&endtime=2026-01-10+13:00:03&total=false");
    CHECK(reply.status() == 200);
    CHECK(reply.header("Content-Type") == "application/json");
    CHECK(reply.header("Date") == "Mon, 23 Nov 2026 16:00:05 GMT");
    CHECK(reply.body.starts_with(R"({"start":0,"limit":100,"count":2,"data":[{"ID":"1")"));
    CHECK(client.get("/v3/identity?access_token=wrong").status() == 400);

    const auto log = server.log();
    REQUIRE(log.size() == 2);
    CHECK(log[0].request.number == 1);
    CHECK(log[0].request.connection == 1);
    CHECK(log[0].request.call == Call::impressions);
    CHECK(log[0].request.token_right);
    CHECK(log[0].request.question.begin == mirror::parse_local("2026-01-10 13:00:00"));
    CHECK(log[0].request.question.end == mirror::parse_local("2026-01-10 13:00:03"));
    CHECK(log[0].request.received_at == utc("2026-11-23 16:00:05"));
    CHECK(log[0].rows == 2);
    CHECK(log[1].request.call == Call::identity);
    CHECK(log[1].request.number == 2);
    CHECK(log[1].request.call_number == 1);
    CHECK_FALSE(log[1].request.token_right);
    CHECK(log[1].status == 400);
    CHECK(server.counters().connections == 1);
    CHECK(server.counters().requests == 2);
    CHECK(server.counters().requests_with_token == 2);
    CHECK(server.counters().rows == 2);

    server.start_over();
    CHECK(server.log().empty());
    client.get(impressions);
    CHECK(server.log().at(0).request.number == 1);
}

TEST_CASE("simulator: two requests sent at once, and one sent in pieces") {
    Account account;
    Server server(account);
    RawClient client(server.port());
    const std::string request = "GET " + impressions + " HTTP/1.1\r\nHost: here\r\n\r\n";
    client.send(request + request.substr(0, 20));
    CHECK(client.receive().complete);
    client.send(request.substr(20));
    CHECK(client.receive().complete);
    client.send("nonsense\r\n\r\n");
    CHECK(client.receive().status() == 400);
}

TEST_CASE("simulator: framings and compressions say the same") {
    Account account;
    fill(account, 100);
    Server server(account);
    RawClient client(server.port());
    const std::string plain = client.get(impressions).body;
    CHECK(plain.ends_with("}]}"));

    const RawReply zipped = client.get(impressions, "Accept-Encoding: gzip, deflate\r\n");
    CHECK(zipped.header("Content-Encoding") == "gzip");
    CHECK(gunzip(zipped.body) == plain);

    server.change([](Behaviour& behaviour) {
        behaviour.framing = Framing::chunked;
        behaviour.chunk_bytes = 1000;
    });
    const RawReply chunks = client.get(impressions);
    CHECK_FALSE(chunks.header("Content-Length").has_value());
    CHECK(dechunk(chunks.body) == plain);
    CHECK(gunzip(dechunk(client.get(impressions, "Accept-Encoding: gzip\r\n").body)) == plain);
}

TEST_CASE("simulator: every delivery breaks in its own way") {
    Account account;
    fill(account, 100);
    Server server(account);
    struct Case {
        Delivery delivery;
        bool head, body, complete, reset;
    };
    const Case cases[] = {
        {Delivery::whole, true, true, true, false},
        {Delivery::close_before, false, false, false, false},
        {Delivery::reset_before, false, false, false, true},
        {Delivery::close_in_body, true, true, false, false},
        {Delivery::without_last_chunk, true, true, false, false},
        {Delivery::close_after, true, true, true, false},
    };
    for (const Case& expected : cases) {
        CAPTURE(static_cast<int>(expected.delivery));
        server.set_rule(rules::always(faults::delivery(expected.delivery)));
        RawClient client(server.port());
        const RawReply reply = client.get(impressions);
        CHECK(reply.head.empty() != expected.head);
        CHECK(reply.body.empty() != expected.body);
        CHECK(reply.complete == expected.complete);
        CHECK(client.was_reset() == expected.reset);
    }
    // What an RST leaves of the body is up to chance.
    server.set_rule(rules::always(faults::delivery(Delivery::reset_in_body)));
    RawClient reset(server.port());
    CHECK_FALSE(reset.get(impressions).complete);
    CHECK(reset.was_reset());

    server.set_rule(rules::always(faults::delivery(Delivery::hang_in_body)));
    RawClient hanging(server.port());
    hanging.send("GET " + impressions + " HTTP/1.1\r\nHost: here\r\n\r\n");
    CHECK_FALSE(hanging.receive(std::chrono::milliseconds(50)).complete);
    CHECK_FALSE(hanging.was_reset());

    server.set_rule(rules::always(faults::cut_gzip()));
    RawClient cut(server.port());
    const RawReply reply = cut.get(impressions, "Accept-Encoding: gzip\r\n");
    CHECK(reply.complete);
    CHECK(gunzip(reply.body) == "not whole");
}

TEST_CASE("simulator: a server ends while requests hang and are delayed") {
    Account account;
    auto server = std::make_unique<Server>(account);
    server->set_rule(rules::nth({1}, faults::delivery(Delivery::hang)));
    RawClient hanging(server->port());
    hanging.send("GET " + impressions + " HTTP/1.1\r\nHost: here\r\n\r\n");
    CHECK(server->wait([](const Counters& counters) { return counters.requests == 1; }));
    server->set_rule(rules::always(faults::delay(std::chrono::hours(1))));
    RawClient delayed(server->port());
    delayed.send("GET " + impressions + " HTTP/1.1\r\nHost: here\r\n\r\n");
    CHECK(server->wait([](const Counters& counters) { return counters.requests == 2; }));
    server.reset();
    CHECK(hanging.receive().head.empty());
    CHECK(delayed.receive().head.empty());
}

TEST_CASE("simulator: hooks change the account between two pages") {
    Account account;
    fill(account, 4);
    Server server(account);
    server.set_after([&](const Request& request) {
        if (request.call_number == 1) {
            account.remove(1);
        }
    });
    RawClient client(server.port());
    CHECK(client.get(impressions + "&limit=2").body.find(R"("ID":"2")") != std::string::npos);
    CHECK(client.get(impressions + "&limit=2&start=2")
              .body.starts_with(R"({"start":2,"limit":2,"count":1,"total":3,"data":[{"ID":"4")"));
}

TEST_CASE("simulator: a rule that throws is seen by the client") {
    Account account;
    Server server(account);
    server.set_rule([](const Request&) -> std::optional<Fault> {
        throw std::runtime_error("a mistake of the test");
    });
    RawClient client(server.port());
    const RawReply reply = client.get(impressions);
    CHECK(reply.status() == 500);
    CHECK(reply.body == "simulator: a mistake of the test");
}

TEST_CASE("simulator: Date, skewed on every third reply, absent, unreadable") {
    Account account;
    Server server(account);
    server.clock().stand_at(utc("2014-10-09 13:41:46"));
    RawClient client(server.port());
    server.change([](Behaviour& behaviour) {
        behaviour.date.skew = std::chrono::hours(1);
        behaviour.date.every = 3;
    });
    CHECK(client.get(impressions).header("Date") == "Thu, 09 Oct 2014 13:41:46 GMT");
    CHECK(client.get(impressions).header("Date") == "Thu, 09 Oct 2014 13:41:46 GMT");
    CHECK(client.get(impressions).header("Date") == "Thu, 09 Oct 2014 14:41:46 GMT");
    server.clock().advance(Seconds(14));
    CHECK(client.get(impressions).header("Date") == "Thu, 09 Oct 2014 13:42:00 GMT");
    server.change([](Behaviour& behaviour) {
        behaviour.date.every = 1;
        behaviour.date.form = DateHeader::Form::absent;
    });
    CHECK_FALSE(client.get(impressions).header("Date").has_value());
    server.change([](Behaviour& behaviour) { behaviour.date.form = DateHeader::Form::unreadable; });
    CHECK(client.get(impressions).header("Date") == "half past nine, or so");
}

TEST_CASE("simulator: too many requests a second, and connections that end unannounced") {
    Account account;
    Behaviour behaviour;
    behaviour.requests_per_second = 2;
    behaviour.retry_after = "7";
    behaviour.requests_per_connection = 3;
    Server server(account, behaviour);
    RawClient client(server.port());
    CHECK(client.get(impressions).status() == 200);
    CHECK(client.get(impressions).status() == 200);
    const RawReply refused = client.get(impressions);
    CHECK(refused.status() == 429);
    CHECK(refused.header("Retry-After") == "7");
    CHECK(refused.header("Connection") == "keep-alive");
    CHECK(client.receive().head.empty());
}

TEST_CASE("simulator: refused connections, and dropped ones") {
    Account account;
    Server server(account);
    RawClient client(server.port());
    CHECK(client.get(impressions).status() == 200);
    server.stop_listening();
    CHECK_THROWS(RawClient(server.port()));
    CHECK(client.get(impressions).status() == 200);
    server.listen_again();
    RawClient second(server.port());
    CHECK(second.get(impressions).status() == 200);
    server.drop_connections();
    CHECK(client.receive().head.empty());
    CHECK(server.wait([](const Counters& counters) { return counters.open_connections == 0; }));
    // From within, too: the next connection is refused.
    server.set_after([&](const Request&) { server.stop_listening(); });
    RawClient third(server.port());
    CHECK(third.get(impressions).status() == 200);
    CHECK_THROWS(RawClient(server.port()));
}

TEST_CASE("simulator: HTTPS with certificates good and bad") {
    const std::filesystem::path directory =
        std::filesystem::temp_directory_path() /
        ("simulator-test-" + std::to_string(std::random_device()()));
    const Certificates certificates = make_certificates(directory);
    Account account;

    // True if the client accepts the server and got a reply.
    const auto accepted = [&](const Server& server) {
        RawClient client(server.port());
        SSL_CTX* context = SSL_CTX_new(TLS_client_method());
        SSL_CTX_load_verify_locations(context, certificates.authority.c_str(), nullptr);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
        SSL* tls = SSL_new(context);
        SSL_set1_host(tls, "localhost");
        SSL_set_fd(tls, client.descriptor());
        std::string reply(15, '\0');
        const bool fine = SSL_connect(tls) == 1;
        if (fine) {
            const std::string request = "GET " + impressions + " HTTP/1.1\r\nHost: here\r\n\r\n";
            SSL_write(tls, request.data(), static_cast<int>(request.size()));
            SSL_read(tls, reply.data(), static_cast<int>(reply.size()));
        }
        SSL_free(tls);
        SSL_CTX_free(context);
        return fine && reply == "HTTP/1.1 200 OK";
    };
    const auto serve = [&](const Tls& tls) {
        ServerOptions options;
        options.tls = tls;
        Server server(account, {}, options);
        CHECK(server.url("localhost").starts_with("https://localhost:"));
        const bool fine = accepted(server);
        if (fine) {
            CHECK(server.counters().requests_with_token == 1);
        } else {
            CHECK(server.wait(
                [](const Counters& counters) { return counters.open_connections == 0; }));
            CHECK(server.counters().requests == 0);
        }
        return fine;
    };
    CHECK(serve(certificates.good));
    CHECK_FALSE(serve(certificates.wrong_host));
    CHECK_FALSE(serve(certificates.expired));
    CHECK_FALSE(serve(certificates.not_yet_valid));
    CHECK_FALSE(serve(certificates.self_signed));
    CHECK_FALSE(serve(certificates.unknown_authority));
    std::filesystem::remove_all(directory);
}
