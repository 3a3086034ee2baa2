#include "daemon/check/subprocess.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mirror::daemon {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t longest_output = std::size_t{64} << 10;

std::optional<pid_t> start(const std::vector<std::string>& words, int output) {
    std::vector<std::string> copies = words;
    std::vector<char*> arguments;
    for (std::string& word : copies) {
        arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    std::string path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    std::string locale = "LC_ALL=C";
    std::array<char*, 3> environment{path.data(), locale.data(), nullptr};

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child = 0;
    const int failure = posix_spawnp(&child, arguments.front(), &actions, nullptr, arguments.data(),
                                     environment.data());
    posix_spawn_file_actions_destroy(&actions);
    if (failure != 0) {
        return std::nullopt;
    }
    return child;
}

// Reads to the end; false where that does not come before the deadline.
bool read_all(int input, Clock::time_point deadline, std::string& text) {
    std::array<char, 4096> piece{};
    for (;;) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
        pollfd wait{input, POLLIN, 0};
        if (left.count() <= 0 || text.size() > longest_output) {
            return false;
        }
        const int ready = ::poll(&wait, 1, static_cast<int>(left.count()));
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        if (ready <= 0) {
            return false;
        }
        const ssize_t bytes = ::read(input, piece.data(), piece.size());
        if (bytes < 0 && errno == EINTR) {
            continue;
        }
        if (bytes <= 0) {
            return bytes == 0;
        }
        text.append(piece.data(), static_cast<std::size_t>(bytes));
    }
}

}  // namespace

std::optional<std::string> output_of(const std::vector<std::string>& words,
                                     std::chrono::milliseconds patience) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return std::nullopt;
    }
    const auto child = start(words, ends[1]);
    ::close(ends[1]);
    std::string text;
    const bool whole = child && read_all(ends[0], Clock::now() + patience, text);
    ::close(ends[0]);
    if (!child) {
        return std::nullopt;
    }
    if (!whole) {
        ::kill(*child, SIGKILL);
    }
    int status = 0;
    while (::waitpid(*child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!whole || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return std::nullopt;
    }
    return text;
}

}  // namespace mirror::daemon
