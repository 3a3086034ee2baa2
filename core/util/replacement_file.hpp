// A file that takes the place of another one as a whole.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <system_error>

namespace mirror {

/// A failed system call. `attempt` completes "cannot …".
class FileError : public std::system_error {
  public:
    FileError(const std::string& attempt, int error)
        : std::system_error(error, std::generic_category(), "cannot " + attempt),
          attempt_(attempt) {}

    const std::string& attempt() const { return attempt_; }

  private:
    std::string attempt_;
};

/// A file that is replaced is lost, so only some may be: a file that does not exist, is empty, or
/// begins with `begin`, which shows that it is `what`. Returns why `target` may not be replaced,
/// for people; nothing if it may.
std::optional<std::string> why_not_to_replace(const std::filesystem::path& target,
                                              std::string_view begin, std::string_view what);

/// A file in the directory of the one that it may replace; removed with this object if it does not.
/// Its name is that of the target with a suffix, ".unfinished-" and something random. Those that
/// were left by processes that were killed are removed when another one is made. Everything throws
/// FileError.
class ReplacementFile {
  public:
    /// Makes it. `mode` does not depend on the umask; a file system without modes has its own.
    ReplacementFile(std::filesystem::path target, mode_t mode);
    ReplacementFile(const ReplacementFile&) = delete;
    ReplacementFile& operator=(const ReplacementFile&) = delete;
    ~ReplacementFile();

    const std::string& name() const { return name_; }

    void write(std::string_view text) const;

    /// Takes the target's name.
    void replace();
    /// The same, but it is on the disk before it has its name, and so has the name at the end.
    void replace_durably();

  private:
    std::filesystem::path target_;
    std::string name_;
    int descriptor_;
};

}  // namespace mirror
