#include "tests/end_to_end/process.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <poll.h>
#include <spawn.h>
#include <stdexcept>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "tests/support/patience.hpp"

namespace mirror::test {
namespace {

std::string contents(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::filesystem::path output_file(const char* name) {
    static std::atomic<unsigned> counter{0};
    return std::filesystem::temp_directory_path() /
           fmt::format("copernica-mirror-test-{}-{}.{}", getpid(), ++counter, name);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (std::string& text : texts) {
        all.push_back(text.data());
    }
    all.push_back(nullptr);
    return all;
}

}  // namespace

Process::Process(const std::filesystem::path& program, const ProcessOptions& options)
    : out_(output_file("out")), err_(output_file("err")) {
    std::vector<std::string> words{program.string()};
    words.insert(words.end(), options.arguments.begin(), options.arguments.end());
    std::vector<std::string> variables;
    for (const char* inherited :
         {"PATH", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}) {
        const char* const value = std::getenv(inherited);
        if (value != nullptr && !options.environment.contains(inherited)) {
            variables.push_back(fmt::format("{}={}", inherited, value));
        }
    }
    for (const auto& [name, value] : options.environment) {
        variables.push_back(fmt::format("{}={}", name, value));
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    constexpr int flags = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    const auto& out = options.standard_output.empty() ? out_ : options.standard_output;
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), flags, 0600);
    const auto& err = options.standard_error.empty() ? err_ : options.standard_error;
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), flags, 0600);
    posix_spawn_file_actions_addchdir_np(&actions, options.directory.c_str());
    // Whoever runs the tests in the background may have SIGINT and SIGQUIT ignored, and that is
    // inherited.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    sigset_t interrupting;
    sigemptyset(&interrupting);
    sigaddset(&interrupting, SIGINT);
    sigaddset(&interrupting, SIGQUIT);
    posix_spawnattr_setsigdefault(&attributes, &interrupting);
    const int error = posix_spawn(&id_, program.c_str(), &actions, &attributes,
                                  pointers(words).data(), pointers(variables).data());
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        throw std::runtime_error("cannot start " + program.string());
    }
}

Process::~Process() {
    if (!code_) {
        signal(SIGKILL);
        wait();
    }
    std::error_code ignored;
    std::filesystem::remove(out_, ignored);
    std::filesystem::remove(err_, ignored);
}

void Process::signal(int number) const {
    kill(id_, number);
}

int Process::wait() {
    if (code_) {
        return *code_;
    }
    const int descriptor = static_cast<int>(syscall(SYS_pidfd_open, id_, 0));
    pollfd end{descriptor, POLLIN, 0};
    const bool ended =
        poll(&end, 1, static_cast<int>(std::chrono::milliseconds(patience).count())) == 1;
    close(descriptor);
    if (!ended) {
        signal(SIGKILL);
    }
    int status = 0;
    waitpid(id_, &status, 0);
    if (!ended) {
        code_ = -1;
    } else {
        code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    return *code_;
}

std::string Process::out() const {
    return contents(out_);
}
std::string Process::err() const {
    return contents(err_);
}

}  // namespace mirror::test
