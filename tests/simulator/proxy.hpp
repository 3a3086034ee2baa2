// A proxy of HTTP's CONNECT on a loopback port, as companies have them between themselves and the
// internet.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/patience.hpp"

namespace simulator {

struct ProxyBehaviour {
    enum class Answer {
        tunnel,           ///< or 502, if nobody listens at the target
        refuse,           ///< with `status` and an HTML page
        hang,             ///< no answer, and the connection stays
        close,            ///< no answer, and the connection ends
        nonsense,         ///< bytes that are not HTTP
        close_in_tunnel,  ///< after `tunnel_bytes` of the server
        hang_in_tunnel    ///< the same, and the connection stays
    };
    Answer answer = Answer::tunnel;
    unsigned status = 403;
    std::uint64_t tunnel_bytes = 0;
    std::optional<std::string> credentials;  ///< "user:password"; others are answered with 407
    /// Ports of names that the proxy alone can resolve. Every other name is 127.0.0.1.
    std::map<std::string, std::uint16_t> hosts;
};

struct ProxyCounters {
    std::uint64_t connections = 0;  ///< accepted
    std::uint64_t open_connections = 0;
    std::uint64_t tunnels = 0;         ///< that were opened
    std::uint64_t unauthorized = 0;    ///< answered with 407
    std::uint64_t refused = 0;         ///< answered with another status
    std::uint64_t other_requests = 0;  ///< that are not CONNECT: refused, too
    std::uint64_t bytes_up = 0;        ///< to servers
    std::uint64_t bytes_down = 0;      ///< to clients
};

/// What a client said before there was a tunnel.
struct ProxyRequest {
    std::string method;
    std::string target;
    std::map<std::string, std::string> headers;  ///< names in lower case
};

/// Listens on 127.0.0.1 from construction to destruction, on a thread of its own. It connects to
/// 127.0.0.1 only. All members may be called from any thread.
class Proxy {
  public:
    /// Throws boost::system::system_error.
    explicit Proxy(ProxyBehaviour behaviour = {});
    ~Proxy();
    Proxy(const Proxy&) = delete;
    Proxy& operator=(const Proxy&) = delete;

    std::uint16_t port() const;
    /// "http://127.0.0.1:PORT", with "user:password@" if there are some.
    std::string url(const std::string& credentials = "") const;

    void change(const std::function<void(ProxyBehaviour&)>& edit);
    ProxyCounters counters() const;
    std::vector<ProxyRequest> requests() const;
    /// False if `condition` did not come true in time.
    bool wait(const std::function<bool(const ProxyCounters&)>& condition,
              std::chrono::milliseconds timeout = mirror::test::patience) const;
    /// Ends all connections at once.
    void drop_connections();

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace simulator
