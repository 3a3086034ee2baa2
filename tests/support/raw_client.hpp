// HTTP without a library: what really is on the wire, broken or not.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace mirror::test {

/// One reply, as far as it came.
struct RawReply {
    std::string head;
    std::string body;       ///< as it was on the wire
    bool complete = false;  ///< Content-Length or the last chunk was reached

    std::optional<std::string> header(const std::string& name) const;
    int status() const;
};

/// A blocking connection to 127.0.0.1. Throws std::runtime_error if it cannot connect.
class RawClient {
  public:
    explicit RawClient(std::uint16_t port);
    ~RawClient();
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    void send(const std::string& bytes);
    /// Reads until the reply is complete, or the connection ends or is silent for
    /// `longest_silence`.
    RawReply receive(std::chrono::milliseconds longest_silence = std::chrono::seconds(5));
    RawReply get(const std::string& target, const std::string& headers = "");
    /// Whether the last end of the connection was an RST.
    bool was_reset() const { return was_reset_; }
    int descriptor() const { return descriptor_; }

  private:
    int descriptor_ = -1;
    bool was_reset_ = false;
};

}  // namespace mirror::test
