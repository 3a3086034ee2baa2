#include "tests/end_to_end/notify_socket.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/patience.hpp"

namespace mirror::test {
namespace {

constexpr std::chrono::milliseconds silence(300);

}  // namespace

NotifySocket::NotifySocket(const std::string& address)
    : descriptor_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    if (address.size() >= sizeof(name.sun_path)) {
        throw std::runtime_error("the name of a socket is too long: " + address);
    }
    std::memcpy(name.sun_path, address.data(), address.size());
    if (address.front() == '@') {
        name.sun_path[0] = '\0';
    }
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
    if (::bind(descriptor_, reinterpret_cast<const sockaddr*>(&name), length) != 0 ||
        ::pipe(wake_) != 0) {
        throw std::runtime_error("cannot listen on " + address);
    }
    reader_ = std::thread([this] { read(); });
}

NotifySocket::~NotifySocket() {
    ::close(wake_[1]);
    reader_.join();
    ::close(wake_[0]);
    ::close(descriptor_);
}

void NotifySocket::read() {
    for (;;) {
        std::array<pollfd, 2> ready{{{descriptor_, POLLIN, 0}, {wake_[0], POLLIN, 0}}};
        ::poll(ready.data(), ready.size(), -1);
        if (ready[1].revents != 0) {
            return;
        }
        std::array<char, 4096> buffer{};
        const auto size = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
        if (size >= 0) {
            const std::lock_guard lock(mutex_);
            messages_.emplace_back(buffer.data(), static_cast<std::size_t>(size));
            changed_.notify_all();
        }
    }
}

std::vector<std::string> NotifySocket::messages() const {
    const std::lock_guard lock(mutex_);
    return messages_;
}

bool NotifySocket::waits_for(const std::string& text, std::size_t skipped) const {
    std::unique_lock lock(mutex_);
    std::size_t seen = skipped;
    return changed_.wait_for(lock, patience, [&] {
        for (; seen < messages_.size(); ++seen) {
            if (messages_[seen].find(text) != std::string::npos) {
                return true;
            }
        }
        return false;
    });
}

bool NotifySocket::falls_silent() const {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    std::unique_lock lock(mutex_);
    while (std::chrono::steady_clock::now() < deadline) {
        const std::size_t before = messages_.size();
        const bool spoke =
            changed_.wait_for(lock, silence, [&] { return messages_.size() > before; });
        if (!spoke) {
            return true;
        }
    }
    return false;
}

}  // namespace mirror::test
