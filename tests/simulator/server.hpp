// The simulated API as a server on a loopback port.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulator/account.hpp"
#include "tests/simulator/behaviour.hpp"
#include "tests/simulator/bookkeeping.hpp"
#include "tests/simulator/clock.hpp"
#include "tests/simulator/fault.hpp"
#include "tests/simulator/request.hpp"
#include "tests/simulator/request_handler.hpp"
#include "tests/support/patience.hpp"

namespace simulator {

/// Serves HTTPS with these, both PEM.
struct Tls {
    std::filesystem::path certificate;
    std::filesystem::path key;
};

struct ServerOptions {
    std::uint16_t port = 0;  ///< 0: any free one
    std::optional<Tls> tls;
    std::size_t log_capacity = 100'000;  ///< the oldest entries go first
};

/// Listens on 127.0.0.1 from construction to destruction, on a thread of its own, where rules and
/// hooks run, too. All members may be called from any thread, from rules and from hooks.
class Server {
  public:
    using Hook = RequestHandler::Hook;

    /// Throws boost::system::system_error.
    explicit Server(Account& account, Behaviour behaviour = {}, ServerOptions options = {});
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// "http://127.0.0.1:PORT/v3", or https. The path of the authentication service is "/".
    std::string url(const std::string& host = "127.0.0.1", const std::string& path = "/v3") const;
    std::uint16_t port() const;

    Behaviour behaviour() const;
    void change(const std::function<void(Behaviour&)>& edit);
    ServerClock& clock();

    /// What goes wrong; nothing, with an empty rule.
    void set_rule(Rule rule);
    /// Runs before a request is answered.
    void set_before(Hook hook);
    /// Runs after a request was answered and logged, before the reply is sent: the next request
    /// sees what it changed.
    void set_after(Hook hook);

    std::vector<LogEntry> log() const;
    Counters counters() const;
    /// Empties the log, and counts requests, rows and bytes from zero again.
    void start_over();
    /// False if `condition` did not come true in time.
    bool wait(const std::function<bool(const Counters&)>& condition,
              std::chrono::milliseconds timeout = mirror::test::patience) const;

    /// Connections are refused from now on; those that are open continue.
    void stop_listening();
    /// Undoes stop_listening(), on the same port. Throws boost::system::system_error.
    void listen_again();
    /// Ends all connections at once.
    void drop_connections();

    /// What a mirror's view of the stream must hold by the server's present time.
    std::vector<Values> truth(StreamId stream) const;
    /// The same of the impressions, by name.
    std::vector<TrueRow> truth() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace simulator
