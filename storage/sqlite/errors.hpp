// What can be wrong with the file. Every message says what, on which file, and what to do.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

struct sqlite3;

namespace SQLite {
class Exception;
}

namespace mirror::storage {

enum class DatabaseErrorKind {
    absent,      ///< no such file or directory, or it was moved away while open
    locked,      ///< somebody else held it for longer than we wait
    full,        ///< no space left on the device, or a quota
    damaged,     ///< an SQLite file of ours that SQLite cannot make sense of
    newer,       ///< made by a newer program
    foreign,     ///< somebody else's SQLite file, or no SQLite file at all
    permission,  ///< may not be read, or not be written
    io,          ///< anything else between SQLite and the disk
};

/// The database cannot be used. what() is one line for people.
class DatabaseError : public std::runtime_error {
  public:
    DatabaseError(DatabaseErrorKind kind, const std::string& message)
        : std::runtime_error(message), kind_(kind) {}

    DatabaseErrorKind kind() const { return kind_; }

  private:
    DatabaseErrorKind kind_;
};

/// The errno behind the connection's last error, as far as SQLite has kept it.
int system_error_of(sqlite3* connection);

/// An error of SQLite on `file` in our words. `system_error` is the errno behind it.
DatabaseError explain(const SQLite::Exception& error, int system_error,
                      const std::filesystem::path& file);

/// SQLite could not open `file` at all: as above, the reason being looked for in its permissions.
DatabaseError explain_open(const SQLite::Exception& error, const std::filesystem::path& file);

/// A failed system call on `file`, with its errno. `attempt` completes "cannot …".
DatabaseError explain_system(const std::string& attempt, int system_error,
                             const std::filesystem::path& file);

}  // namespace mirror::storage
