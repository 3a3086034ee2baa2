#include "tests/simulator/proxy.hpp"

#include <string>

#include <doctest/doctest.h>

#include "tests/simulator/server.hpp"
#include "tests/support/raw_client.hpp"

using namespace simulator;
using mirror::test::RawClient;
using mirror::test::RawReply;
using Answer = ProxyBehaviour::Answer;

namespace {

const std::string identity = "/v3/identity?access_token=simulated-token";

std::string connect(const std::string& target, const std::string& headers = "") {
    return "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n" + headers + "\r\n";
}

std::string target_of(const Server& server, const std::string& host = "127.0.0.1") {
    return host + ":" + std::to_string(server.port());
}

// The head of the proxy's reply: one that opens a tunnel has no length, and no end of its own.
RawReply open_tunnel(RawClient& client, const std::string& target,
                     const std::string& headers = "") {
    client.send(connect(target, headers));
    return client.receive(std::chrono::milliseconds(200));
}

}  // namespace

TEST_CASE("simulator: a proxy opens tunnels, and counts what goes through") {
    Account account;
    Server server(account);
    Proxy proxy;
    CHECK(proxy.url("a:b") == "http://a:b@127.0.0.1:" + std::to_string(proxy.port()));
    RawClient client(proxy.port());
    CHECK(open_tunnel(client, target_of(server, "api.only-the-proxy-knows.example")).status() ==
          200);
    CHECK(client.get(identity).status() == 200);
    CHECK(client.get(identity).body.starts_with("{\"id\":\"34\""));
    const ProxyCounters counters = proxy.counters();
    CHECK(counters.connections == 1);
    CHECK(counters.open_connections == 1);
    CHECK(counters.tunnels == 1);
    CHECK(counters.bytes_up > 2 * identity.size());
    CHECK(counters.bytes_down > 200);
    REQUIRE(proxy.requests().size() == 1);
    CHECK(proxy.requests()[0].method == "CONNECT");
    CHECK(proxy.requests()[0].target == target_of(server, "api.only-the-proxy-knows.example"));
    CHECK(proxy.requests()[0].headers.at("host").starts_with("api.only"));
    proxy.drop_connections();
    CHECK(client.receive().head.empty());
    CHECK(proxy.wait([](const ProxyCounters& now) { return now.open_connections == 0; }));
    CHECK(server.wait([](const Counters& now) { return now.open_connections == 0; }));
}

TEST_CASE("simulator: a proxy knows a host by a port of its own") {
    Account account;
    Server server(account);
    ProxyBehaviour behaviour;
    behaviour.hosts["api.copernica.test"] = server.port();
    Proxy proxy(behaviour);
    RawClient client(proxy.port());
    CHECK(open_tunnel(client, "api.copernica.test:443").status() == 200);
    CHECK(client.get(identity).status() == 200);
}

TEST_CASE("simulator: a proxy wants credentials, and takes the next try on the connection") {
    Account account;
    Server server(account);
    ProxyBehaviour behaviour;
    behaviour.credentials = "user:secret";
    Proxy proxy(behaviour);
    RawClient client(proxy.port());
    client.send(connect(target_of(server)));
    const RawReply refused = client.receive();
    CHECK(refused.status() == 407);
    CHECK(refused.header("Proxy-Authenticate") == "Basic realm=\"company\"");
    CHECK(refused.body.find("<html>") != std::string::npos);
    client.send(connect(target_of(server), "Proxy-Authorization: Basic d3Jvbmc6d3Jvbmc=\r\n"));
    CHECK(client.receive().status() == 407);
    CHECK(open_tunnel(client, target_of(server), "Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n")
              .status() == 200);
    CHECK(client.get(identity).status() == 200);
    CHECK(proxy.counters().unauthorized == 2);
    CHECK(proxy.counters().tunnels == 1);
}

TEST_CASE("simulator: a proxy refuses, and is for CONNECT alone") {
    Account account;
    Server server(account);
    ProxyBehaviour behaviour;
    behaviour.answer = Answer::refuse;
    Proxy proxy(behaviour);
    RawClient client(proxy.port());
    client.send(connect(target_of(server)));
    const RawReply refused = client.receive();
    CHECK(refused.status() == 403);
    CHECK(refused.header("Content-Type") == "text/html");
    proxy.change([](ProxyBehaviour& now) { now.status = 502; });
    client.send(connect(target_of(server)));
    CHECK(client.receive().status() == 502);
    CHECK(client.get("http://" + target_of(server) + identity).status() == 403);
    CHECK(proxy.counters().refused == 2);
    CHECK(proxy.counters().other_requests == 1);
    CHECK(server.counters().connections == 0);

    // Nobody listens, and no target.
    proxy.change([](ProxyBehaviour& now) { now.answer = Answer::tunnel; });
    server.stop_listening();
    client.send(connect(target_of(server)));
    CHECK(client.receive().status() == 502);
    client.send(connect("nowhere"));
    CHECK(client.receive().status() == 502);
}

TEST_CASE("simulator: a proxy hangs, closes and breaks off") {
    Account account;
    Server server(account);
    Proxy proxy;
    const auto answers = [&](Answer answer, std::uint64_t bytes = 0) {
        proxy.change([&](ProxyBehaviour& now) {
            now.answer = answer;
            now.tunnel_bytes = bytes;
        });
    };
    answers(Answer::close);
    RawClient closed(proxy.port());
    closed.send(connect(target_of(server)));
    CHECK(closed.receive().head.empty());

    answers(Answer::nonsense);
    RawClient confused(proxy.port());
    confused.send(connect(target_of(server)));
    CHECK(confused.receive().head.empty());  // it has no head's end

    answers(Answer::hang);
    {
        RawClient hanging(proxy.port());
        hanging.send(connect(target_of(server)));
        CHECK(hanging.receive(std::chrono::milliseconds(50)).head.empty());
        CHECK(proxy.counters().open_connections >= 1);
    }
    CHECK(proxy.counters().tunnels == 0);

    answers(Answer::close_in_tunnel, 20);
    RawClient cut(proxy.port());
    CHECK(open_tunnel(cut, target_of(server)).status() == 200);
    CHECK_FALSE(cut.get(identity).complete);

    answers(Answer::hang_in_tunnel, 20);
    {
        RawClient stuck(proxy.port());
        CHECK(open_tunnel(stuck, target_of(server)).status() == 200);
        stuck.send("GET " + identity + " HTTP/1.1\r\nHost: here\r\n\r\n");
        CHECK_FALSE(stuck.receive(std::chrono::milliseconds(50)).complete);
        CHECK(proxy.counters().open_connections >= 1);
    }
    CHECK(proxy.wait([](const ProxyCounters& now) { return now.open_connections == 0; }));
    CHECK(proxy.counters().bytes_down == 40);
}
