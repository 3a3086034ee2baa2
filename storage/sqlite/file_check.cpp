#include "storage/sqlite/file_check.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include "storage/sqlite/errors.hpp"

namespace mirror::storage {
namespace {

constexpr mode_t file_mode = 0640;

// The file's head, as https://www.sqlite.org/fileformat.html lays it out.
constexpr std::size_t header_size = 100;
constexpr char magic[] = "SQLite format 3";  // with its final NUL
constexpr std::size_t user_version_at = 60;
constexpr std::size_t application_id_at = 68;

// The head of a rollback journal: the same document, section 3.
constexpr std::array<unsigned char, 8> journal_magic{0xd9, 0xd5, 0x05, 0xf9,
                                                     0x20, 0xa1, 0x63, 0xd7};
constexpr std::size_t pages_before_at = 16;
constexpr std::size_t journal_header_size = 28;

using Header = std::array<unsigned char, header_size>;

int big_endian(const Header& header, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        value = value << 8 | header[at + i];
    }
    return static_cast<int>(value);
}

// Through SQLite's own descriptor: closing one of ours would drop the POSIX locks of every other
// connection that this process has to the file.
bool read_header(const std::filesystem::path& file, Header& header) {
    SQLite::Database closed_file(file.string(), SQLite::OPEN_READONLY);
    sqlite3_file* handle = nullptr;
    sqlite3_file_control(closed_file.getHandle(), "main", SQLITE_FCNTL_FILE_POINTER, &handle);
    const int result =
        handle->pMethods->xRead(handle, header.data(), static_cast<int>(header.size()), 0);
    if (result == SQLITE_IOERR_SHORT_READ) {
        return false;
    }
    if (result != SQLITE_OK) {
        throw SQLite::Exception("cannot read the header", result);
    }
    return true;
}

// True if a journal beside the file says that it was empty before a transaction which was cut
// short: whatever is in the file, SQLite undoes it, and nothing is left.
bool is_half_made(const std::filesystem::path& file) {
    std::ifstream journal(file.string() + "-journal", std::ios::binary);
    std::array<char, journal_header_size> head{};
    if (!journal.read(head.data(), head.size())) {
        return false;
    }
    const char* const pages = head.data() + pages_before_at;
    return std::memcmp(head.data(), journal_magic.data(), journal_magic.size()) == 0 &&
           std::all_of(pages, pages + 4, [](char byte) { return byte == 0; });
}

[[noreturn]] void throw_foreign(const std::filesystem::path& file, const std::string& what) {
    throw DatabaseError(
        DatabaseErrorKind::foreign,
        "database " + file.string() + ": " + what + "; it was left as it is: name another file");
}

DatabaseError absent(const std::filesystem::path& file, const char* what, const std::string& why) {
    return DatabaseError(DatabaseErrorKind::absent,
                         "database " + file.string() + ": " + what + ", because " + why);
}

DatabaseError cannot_create(const std::filesystem::path& file, int system_error) {
    const bool is_the_path =
        system_error == ENOENT || system_error == ENOTDIR || system_error == ELOOP;
    const auto why = is_the_path ? why_not_creatable(file) : std::nullopt;
    return why ? absent(file, "it cannot be created", *why)
               : explain_system("create it", system_error, file);
}

// An entry that cannot be looked at may be there.
bool is_missing(const std::filesystem::path& path) {
    std::error_code failure;
    return std::filesystem::status(path, failure).type() == std::filesystem::file_type::not_found;
}

}  // namespace

std::optional<std::string> why_not_creatable(const std::filesystem::path& file) {
    std::error_code ignored;
    std::error_code failure;
    static_cast<void>(std::filesystem::status(file, failure));
    if (failure == std::errc::too_many_symbolic_link_levels) {
        return "links on its path lead in a circle; remove them, or name another file";
    }
    if (std::filesystem::is_symlink(file, ignored) && is_missing(file)) {
        return "it is a link to " + std::filesystem::read_symlink(file, ignored).string() +
               ", which does not exist; create that file or remove the link";
    }
    const auto directory = std::filesystem::absolute(file, ignored).parent_path();
    const auto found = std::filesystem::status(directory, failure).type();
    if (failure == std::errc::not_a_directory || found == std::filesystem::file_type::regular) {
        return "a part of " + directory.string() + " is not a directory; name another file";
    }
    if (found != std::filesystem::file_type::not_found) {
        return std::nullopt;
    }
    if (std::find(file.begin(), file.end(), "~") != file.end()) {
        return "\"~\" means your home directory to a shell only; write the whole path";
    }
    return "directory " + directory.string() + " does not exist; create it (mkdir -p " +
           directory.string() + "), or name another file";
}

std::filesystem::path existing_file(const std::filesystem::path& file) {
    std::error_code failure;
    auto path = std::filesystem::canonical(file, failure);
    if (failure) {
        // Else the advice would be to create it there.
        const auto why = is_missing(file) ? why_not_creatable(file) : std::nullopt;
        throw why ? absent(file, "not found", *why)
                  : explain_system("open it", failure.value(), file);
    }
    return path;
}

std::filesystem::path ensure_file(const std::filesystem::path& file) {
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, file_mode);
    if (descriptor >= 0) {
        // The umask may have taken the group's right to read away.
        ::fchmod(descriptor, file_mode);
        ::close(descriptor);
    } else if (errno != EEXIST) {
        throw cannot_create(file, errno);
    }
    std::error_code failure;
    if (descriptor < 0 && !std::filesystem::exists(file, failure)) {
        throw cannot_create(file, failure ? failure.value() : ENOENT);  // ENOENT: a link to nothing
    }
    auto path = existing_file(file);
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        throw explain_system("look at it", errno, path);
    }
    if (!S_ISREG(status.st_mode)) {
        throw_foreign(path, "not a regular file");
    }
    return path;
}

void refuse_unless_ours(const std::filesystem::path& file, const FileFormat& ours) {
    std::error_code failure;
    if (std::filesystem::file_size(file, failure) == 0 || is_half_made(file)) {
        return;
    }
    Header header{};
    try {
        if (!read_header(file, header)) {
            throw_foreign(file, "not an SQLite file");
        }
    } catch (const SQLite::Exception& error) {
        throw explain_open(error, file);
    }
    if (std::memcmp(header.data(), magic, sizeof magic) != 0) {
        throw_foreign(file, "not an SQLite file");
    }
    refuse_unless_ours(file, ours, big_endian(header, application_id_at),
                       big_endian(header, user_version_at));
}

void refuse_unless_ours(const std::filesystem::path& file, const FileFormat& ours, int application,
                        int version) {
    if (application != ours.application_id || version < 1) {
        throw_foreign(file, "an SQLite file, but not one of this program");
    }
    if (version > ours.newest_version) {
        throw DatabaseError(DatabaseErrorKind::newer,
                            "database " + file.string() + ": made by a newer version (schema " +
                                std::to_string(version) + ", this one knows " +
                                std::to_string(ours.newest_version) +
                                "); it was left as it is: update this program");
    }
}

}  // namespace mirror::storage
