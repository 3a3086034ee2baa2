// Reads what surrounds the process, once, and runs the program.

#include <cstdlib>
#include <iostream>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <string.h>
#include <string>
#include <utility>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "core/time/clock.hpp"
#include "daemon/commit.hpp"
#include "daemon/process/environment.hpp"
#include "daemon/program.hpp"

namespace {

std::optional<std::string> variable(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// systemd.exec(5): "device:inode" of the journal's stream; standard error may have been redirected
// since.
bool err_is_journal() {
    struct stat err {};
    const auto stream = variable("JOURNAL_STREAM");
    return stream && fstat(STDERR_FILENO, &err) == 0 &&
           *stream == fmt::format("{}:{}", err.st_dev, err.st_ino);
}

// The token is in our memory. This prevents a core file after a crash, also one that goes to a
// handler (RLIMIT_CORE does not), and keeps other processes of the same user from reading our
// memory: prctl(2), PR_SET_DUMPABLE. A sanitizer's leak checker needs to read it.
void keep_memory_private() {
#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    prctl(PR_SET_DUMPABLE, 0);
#endif
}

// Takes a secret out of the environment, which `ps e` shows.
std::optional<std::string> take(const char* name) {
    char* const value = std::getenv(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    std::string secret = value;
    explicit_bzero(value, secret.size());
    return secret;
}

// Of two that are there, the one that curl takes: an empty one counts as absent.
std::optional<std::string> first_of(std::optional<std::string> first,
                                    std::optional<std::string> second) {
    return first && !first->empty() ? std::move(first) : std::move(second);
}

// Freed memory goes back to the system, and the two threads share one heap: pages of rows are made
// on one and freed on the other. By default, glibc has a heap for each thread and raises the size
// from which memory is mapped.
void keep_heap_small() {
#ifdef __GLIBC__
    constexpr int mapped_from = 128 << 10;
    constexpr int kept_free = 1 << 20;
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, mapped_from);
    mallopt(M_TRIM_THRESHOLD, kept_free);
#endif
}

std::size_t columns_of_standard_error() {
    constexpr std::size_t usual = 80;
    winsize size{};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : usual;
}

}  // namespace

int main(int count, char** arguments) {
    keep_memory_private();
    keep_heap_small();
    mirror::SystemClock clock;
    mirror::daemon::Environment environment(std::cout, std::cerr, clock);
    environment.effective_user = geteuid();
    environment.out_is_terminal = isatty(STDOUT_FILENO) == 1;
    environment.err_is_terminal = isatty(STDERR_FILENO) == 1;
    environment.err_columns = columns_of_standard_error;
    environment.no_color = !variable("NO_COLOR").value_or("").empty();
    environment.err_is_journal = err_is_journal();
    if (mirror::daemon::commit != "unknown") {
        environment.commit = mirror::daemon::commit;
    }
    environment.access_token = take("COPERNICA_ACCESS_TOKEN");
    // A password may be in it.
    environment.https_proxy = first_of(take("https_proxy"), take("HTTPS_PROXY"));
    environment.no_proxy = first_of(variable("no_proxy"), variable("NO_PROXY"));
    if (const auto directory = variable("CREDENTIALS_DIRECTORY")) {
        environment.credentials_directory = *directory;
    }
    const std::vector<std::string> words(arguments + 1, arguments + count);
    return static_cast<int>(mirror::daemon::run_program(words, environment));
}
