#include "tests/support/raw_client.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace mirror::test {

std::optional<std::string> RawReply::header(const std::string& name) const {
    const std::size_t at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) {
        return std::nullopt;
    }
    const std::size_t from = at + 2 + name.size() + 2;
    return head.substr(from, head.find("\r\n", from) - from);
}

int RawReply::status() const {
    constexpr std::size_t where = 9;  // behind "HTTP/1.1 "
    return head.size() > where ? std::atoi(head.c_str() + where) : 0;
}

RawClient::RawClient(std::uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        ::close(descriptor_);
        throw std::runtime_error("refused");
    }
}

RawClient::~RawClient() {
    ::close(descriptor_);
}

void RawClient::send(const std::string& bytes) {
    if (::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(bytes.size())) {
        throw std::runtime_error("cannot send");
    }
}

RawReply RawClient::receive(std::chrono::milliseconds longest_silence) {
    const timeval timeout{longest_silence.count() / 1000, longest_silence.count() % 1000 * 1000};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    RawReply reply;
    std::string bytes;
    for (;;) {
        if (reply.head.empty()) {
            if (const std::size_t end = bytes.find("\r\n\r\n"); end != std::string::npos) {
                reply.head = bytes.substr(0, end + 2);
                bytes.erase(0, end + 4);
            }
        }
        if (!reply.head.empty()) {
            const auto length = reply.header("Content-Length");
            reply.complete =
                length ? bytes.size() >= std::stoul(*length) : bytes.ends_with("0\r\n\r\n");
            reply.body = bytes;
            if (reply.complete) {
                return reply;
            }
        }
        std::array<char, 65536> piece{};
        const ssize_t received = ::recv(descriptor_, piece.data(), piece.size(), 0);
        if (received <= 0) {
            was_reset_ = received < 0 && errno == ECONNRESET;
            return reply;
        }
        bytes.append(piece.data(), static_cast<std::size_t>(received));
    }
}

RawReply RawClient::get(const std::string& target, const std::string& headers) {
    send("GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + headers + "\r\n");
    return receive();
}

}  // namespace mirror::test
