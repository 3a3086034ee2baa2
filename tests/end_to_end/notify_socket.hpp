// What a service manager listens on.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace mirror::test {

/// A datagram socket that keeps all messages it gets. Read by a thread of its own, so that a sender
/// never waits.
class NotifySocket {
  public:
    /// A path, or "@" and an abstract name: what goes into NOTIFY_SOCKET.
    explicit NotifySocket(const std::string& address);
    ~NotifySocket();
    NotifySocket(const NotifySocket&) = delete;
    NotifySocket& operator=(const NotifySocket&) = delete;

    std::vector<std::string> messages() const;

    /// Waits for a message, after the first `skipped` ones, that holds `text`. False if none
    /// came in time.
    bool waits_for(const std::string& text, std::size_t skipped = 0) const;

    /// Waits until no message has come for a while; false if that does not happen in time.
    bool falls_silent() const;

  private:
    void read();

    int descriptor_ = -1;
    int wake_[2] = {-1, -1};
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::vector<std::string> messages_;
    std::thread reader_;
};

}  // namespace mirror::test
