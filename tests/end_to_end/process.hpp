// Real programs, started as a user would.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace mirror::test {

struct ProcessOptions {
    std::vector<std::string> arguments;
    std::map<std::string, std::string> environment;  ///< all of it, besides PATH and TMPDIR
    std::filesystem::path directory = ".";           ///< to work in
    std::filesystem::path standard_output{};         ///< empty: a file, for out()
    std::filesystem::path standard_error{};          ///< empty: a file, for err()
};

/// A running program. Killed and reaped, if it still runs, by the destructor.
class Process {
  public:
    Process(const std::filesystem::path& program, const ProcessOptions& options);
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    pid_t id() const { return id_; }
    void signal(int number) const;

    /// Waits for the end. The exit code, or 128 and the signal that ended it; -1 if it had to be
    /// killed because it did not end in time.
    int wait();

    // What it printed, whole after wait().
    std::string out() const;
    std::string err() const;

  private:
    std::filesystem::path out_;
    std::filesystem::path err_;
    pid_t id_ = -1;
    std::optional<int> code_;
};

}  // namespace mirror::test
