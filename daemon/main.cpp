// Reads what surrounds the process, once, and runs the program.

#include <cstdlib>
#include <iostream>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "core/time/clock.hpp"
#include "daemon/environment.hpp"
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

// Memory goes back to the system as it is freed, and the two threads share one heap: pages of rows
// are made on one and freed on the other. glibc's own way is to keep a heap a thread and to raise
// the size from which memory is mapped.
void keep_heap_small() {
#ifdef __GLIBC__
    constexpr int mapped_from = 128 << 10;
    constexpr int kept_free = 1 << 20;
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, mapped_from);
    mallopt(M_TRIM_THRESHOLD, kept_free);
#endif
}

}  // namespace

int main(int count, char** arguments) {
    keep_heap_small();
    mirror::SystemClock clock;
    mirror::daemon::Environment environment(std::cout, std::cerr, clock);
    environment.out_is_terminal = isatty(STDOUT_FILENO) == 1;
    environment.err_is_terminal = isatty(STDERR_FILENO) == 1;
    environment.no_color = !variable("NO_COLOR").value_or("").empty();
    environment.err_is_journal = err_is_journal();
    environment.access_token = variable("COPERNICA_ACCESS_TOKEN");
    if (const auto directory = variable("CREDENTIALS_DIRECTORY")) {
        environment.credentials_directory = *directory;
    }
    const std::vector<std::string> words(arguments + 1, arguments + count);
    return static_cast<int>(mirror::daemon::run_program(words, environment));
}
