#include "tests/support/loopback_listener.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace mirror::test {

LoopbackListener::LoopbackListener(int backlog, bool nonblocking) : nonblocking_(nonblocking) {
    descriptor_ =
        ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0), 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    const auto bind = [&] {
        return ::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), length) == 0;
    };
    bool bound = bind();
    if (!bound && errno == EADDRINUSE) {
        // A fuzzer opens thousands a second: reuse ports whose last connection is not forgotten
        // yet.
        const int reuse = 1;
        ::setsockopt(descriptor_, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
        bound = bind();
    }
    if (!bound || ::listen(descriptor_, backlog) != 0 ||
        ::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
        ::close(descriptor_);
        throw std::runtime_error("a server of the tests cannot listen");
    }
    port_ = ntohs(address.sin_port);
}

LoopbackListener::~LoopbackListener() {
    ::close(descriptor_);
}

int LoopbackListener::accept() const {
    return ::accept4(descriptor_, nullptr, nullptr,
                     SOCK_CLOEXEC | (nonblocking_ ? SOCK_NONBLOCK : 0));
}

void LoopbackListener::stop() const {
    ::shutdown(descriptor_, SHUT_RDWR);
}

}  // namespace mirror::test
