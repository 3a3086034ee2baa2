// A server that sends no more of TLS than the version and the cipher suite that it chose, also such
// as today's OpenSSL does not support.
#pragma once

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/loopback_listener.hpp"

/// Answers one connection on a port of 127.0.0.1: takes the client's greeting, sends its own, and
/// listens until the client ends it.
class HelloServer {
  public:
    /// As on the wire: 0x0303 is TLS 1.2, 0x0005 is RC4 with SHA.
    HelloServer(std::uint16_t version, std::uint16_t cipher);
    ~HelloServer();
    HelloServer(const HelloServer&) = delete;
    HelloServer& operator=(const HelloServer&) = delete;

    std::uint16_t port() const { return listener_.port(); }

    /// After the connection has ended: the cipher suites that the client offered, and the kinds of
    /// the records that it sent afterwards (21: alert, 22: handshake, 23: data).
    const std::vector<std::uint16_t>& offered();
    const std::vector<unsigned>& records();

  private:
    void run(const std::string& hello);
    void join();

    mirror::test::LoopbackListener listener_{1};
    std::vector<std::uint16_t> offered_;
    std::vector<unsigned> records_;
    std::thread thread_;
};
