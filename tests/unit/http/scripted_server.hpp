// A server of raw bytes, which sends what a test has written down before.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/loopback_listener.hpp"

/// What to do on one connection: for each reply, read one request and send the bytes.
struct Script {
    std::vector<std::string> replies;
    enum class End {
        close,  ///< once all is sent
        reset,  ///< the same, as an RST
        wait,   ///< until the client closes
        drip,   ///< the same, and says a space again and again meanwhile
    };
    End end = End::close;
    std::string greeting = {};  ///< before any request
};

/// Plays one script after another, one for each connection, on a port of 127.0.0.1; when all are
/// played, it listens no more.
class ScriptedServer {
  public:
    explicit ScriptedServer(std::vector<Script> scripts);
    ~ScriptedServer();
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;

    std::uint16_t port() const { return listener_.port(); }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port()); }

    /// The headers of all requests so far.
    std::vector<std::string> requests() const;
    std::size_t connections() const { return connections_; }

    /// Waits until the scripts are played.
    void join();

  private:
    void run();
    void play(int socket, const Script& script);
    static bool say(int socket, std::string_view bytes);

    std::vector<Script> scripts_;
    mirror::test::LoopbackListener listener_{16};
    std::atomic<std::size_t> connections_ = 0;
    mutable std::mutex mutex_;
    std::vector<std::string> requests_;
    int current_ = -1;  // the connection at hand
    bool stopped_ = false;
    std::thread thread_;
};
