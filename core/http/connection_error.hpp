// How a connection fails.
#pragma once

#include <stdexcept>
#include <string>

namespace mirror::http {

/// A connection that failed. what() says why, in one line; it names no host but that of a proxy.
class ConnectionError : public std::runtime_error {
  public:
    enum class Kind {
        trouble,      ///< of the network, the server, or what it speaks: another try may do
        certificate,  ///< the server is not who it should be; nothing was sent to it
        proxy,        ///< a proxy in between refuses, and only a person can change that
        gone,         ///< closed by the other side before the first byte of a reply
        too_large,    ///< the body
    };
    /// How far it had come.
    enum class Stage { resolve, connect, proxy, tls, request };
    ConnectionError(Kind kind, const std::string& message, Stage stage = Stage::request)
        : std::runtime_error(message), kind_(kind), stage_(stage) {}
    Kind kind() const { return kind_; }
    Stage stage() const { return stage_; }

  private:
    Kind kind_;
    Stage stage_;
};

}  // namespace mirror::http
