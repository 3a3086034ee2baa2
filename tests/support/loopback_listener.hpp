// A listening socket for servers that tests write by hand.
#pragma once

#include <cstdint>

namespace mirror::test {

/// Listens on a free port of 127.0.0.1. Closed when it goes.
class LoopbackListener {
  public:
    /// Throws std::runtime_error. `nonblocking`: the listener, and what it accepts.
    explicit LoopbackListener(int backlog, bool nonblocking = false);
    ~LoopbackListener();
    LoopbackListener(const LoopbackListener&) = delete;
    LoopbackListener& operator=(const LoopbackListener&) = delete;

    std::uint16_t port() const { return port_; }
    int descriptor() const { return descriptor_; }

    /// The next connection, which is the caller's to close; below 0 after stop(), or if none
    /// waits.
    int accept() const;

    /// Nobody connects any more, and accept() waits no longer. From any thread.
    void stop() const;

  private:
    bool nonblocking_;
    int descriptor_ = -1;
    std::uint16_t port_ = 0;
};

}  // namespace mirror::test
