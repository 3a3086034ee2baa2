#include "tests/unit/http/hello_server.hpp"

#include <algorithm>
#include <sys/socket.h>
#include <unistd.h>

namespace {

constexpr std::size_t header_bytes = 5;  // of a record: kind, version, length

std::string number(std::uint16_t value) {
    return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
}

std::size_t number_at(const std::string& bytes, std::size_t at) {
    return static_cast<std::size_t>(static_cast<unsigned char>(bytes.at(at))) << 8 |
           static_cast<unsigned char>(bytes.at(at + 1));
}

// RFC 5246, 7.4.1.3: ServerHello as one record. Its one extension says that no connection is
// taken over (RFC 5746), without which any server is refused.
std::string server_hello(std::uint16_t version, std::uint16_t cipher) {
    const std::string body = number(version) + std::string(32, '\x2a') + std::string(1, '\0') +
                             number(cipher) + std::string("\0\0\x05\xff\x01\0\x01\0", 8);
    const std::string message =
        std::string("\x02\0", 2) + number(static_cast<std::uint16_t>(body.size())) + body;
    return "\x16" + number(version) + number(static_cast<std::uint16_t>(message.size())) + message;
}

// A whole record, or nothing at the end.
std::string read_record(int socket) {
    std::string record;
    std::size_t wanted = header_bytes;
    while (record.size() < wanted) {
        char buffer[4096];
        const ssize_t bytes =
            ::recv(socket, buffer, std::min(sizeof buffer, wanted - record.size()), 0);
        if (bytes <= 0) {
            return {};
        }
        record.append(buffer, static_cast<std::size_t>(bytes));
        if (record.size() == header_bytes) {
            wanted += number_at(record, 3);
        }
    }
    return record;
}

// RFC 5246, 7.4.1.2: the suites follow header, version, random and session.
std::vector<std::uint16_t> suites_of(const std::string& hello) {
    constexpr std::size_t session_at = header_bytes + 4 + 2 + 32;
    const std::size_t at = session_at + 1 + static_cast<unsigned char>(hello.at(session_at));
    std::vector<std::uint16_t> suites;
    for (std::size_t i = 0; i < number_at(hello, at); i += 2) {
        suites.push_back(static_cast<std::uint16_t>(number_at(hello, at + 2 + i)));
    }
    return suites;
}

}  // namespace

HelloServer::HelloServer(std::uint16_t version, std::uint16_t cipher) {
    thread_ = std::thread([this, hello = server_hello(version, cipher)] { run(hello); });
}

HelloServer::~HelloServer() {
    listener_.stop();
    join();
}

void HelloServer::join() {
    if (thread_.joinable()) {
        thread_.join();
    }
}

const std::vector<std::uint16_t>& HelloServer::offered() {
    join();
    return offered_;
}

const std::vector<unsigned>& HelloServer::records() {
    join();
    return records_;
}

void HelloServer::run(const std::string& hello) {
    const int socket = listener_.accept();
    if (socket < 0) {
        return;
    }
    const std::string greeting = read_record(socket);
    if (!greeting.empty()) {
        offered_ = suites_of(greeting);
        ::send(socket, hello.data(), hello.size(), MSG_NOSIGNAL);
        ::shutdown(socket, SHUT_WR);
        for (std::string record = read_record(socket); !record.empty();
             record = read_record(socket)) {
            records_.push_back(static_cast<unsigned char>(record[0]));
        }
    }
    ::close(socket);
}
