// Reads what surrounds the process, once, and runs the program.

#include <cstdlib>
#include <iostream>
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

}  // namespace

int main(int count, char** arguments) {
    mirror::SystemClock clock;
    mirror::daemon::Environment environment(std::cout, std::cerr, clock);
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
