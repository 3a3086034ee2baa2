#include "tests/unit/http/scripted_server.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

ScriptedServer::ScriptedServer(std::vector<Script> scripts) : scripts_(std::move(scripts)) {
    thread_ = std::thread([this] { run(); });
}

ScriptedServer::~ScriptedServer() {
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
        listener_.stop();
        if (current_ >= 0) {
            ::shutdown(current_, SHUT_RDWR);
        }
    }
    join();
}

void ScriptedServer::join() {
    if (thread_.joinable()) {
        thread_.join();
    }
}

std::vector<std::string> ScriptedServer::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

void ScriptedServer::run() {
    for (const Script& script : scripts_) {
        const int socket = listener_.accept();
        if (socket < 0) {
            return;
        }
        ++connections_;
        {
            const std::lock_guard lock(mutex_);
            current_ = socket;
            if (stopped_) {
                ::shutdown(socket, SHUT_RDWR);
            }
        }
        play(socket, script);
        const std::lock_guard lock(mutex_);
        current_ = -1;
        ::close(socket);
    }
    listener_.stop();
}

bool ScriptedServer::say(int socket, std::string_view left) {
    while (!left.empty()) {
        const ssize_t bytes = ::send(socket, left.data(), left.size(), MSG_NOSIGNAL);
        if (bytes <= 0) {
            return false;
        }
        left.remove_prefix(static_cast<std::size_t>(bytes));
    }
    return true;
}

void ScriptedServer::play(int socket, const Script& script) {
    std::string received;
    char buffer[4096];
    if (!say(socket, script.greeting)) {
        return;
    }
    for (const std::string& reply : script.replies) {
        std::size_t end = 0;
        while ((end = received.find("\r\n\r\n")) == std::string::npos) {
            const ssize_t bytes = ::recv(socket, buffer, sizeof buffer, 0);
            if (bytes <= 0) {
                return;
            }
            received.append(buffer, static_cast<std::size_t>(bytes));
        }
        {
            const std::lock_guard lock(mutex_);
            requests_.push_back(received.substr(0, end + 4));
        }
        received.erase(0, end + 4);
        if (!say(socket, reply)) {
            return;
        }
    }
    if (script.end == Script::End::wait) {
        while (::recv(socket, buffer, sizeof buffer, 0) > 0) {
        }
    } else if (script.end == Script::End::drip) {
        pollfd client{socket, POLLIN, 0};
        while (::poll(&client, 1, 1) == 0 || ::recv(socket, buffer, sizeof buffer, 0) > 0) {
            if (!say(socket, " ")) {
                return;
            }
        }
    } else if (script.end == Script::End::reset) {
        const linger hard{1, 0};
        ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    }
}
