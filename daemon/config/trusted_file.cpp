#include "daemon/config/trusted_file.hpp"

#include <deque>
#include <sys/statvfs.h>
#include <system_error>
#include <vector>

#include <fmt/format.h>

namespace mirror::daemon {
namespace {

namespace fs = std::filesystem;

// As many as Linux follows.
constexpr int most_links = 40;

constexpr mode_t mode_bits = 07777;

std::optional<mode_t> mode_of(const fs::path& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        return std::nullopt;
    }
    return status.st_mode & mode_bits;
}

bool is_read_only(const fs::path& path) {
    struct statvfs system {};
    return ::statvfs(path.c_str(), &system) == 0 && (system.f_flag & ST_RDONLY) != 0;
}

// The way to a file as the kernel takes it, link by link.
struct Way {
    std::vector<fs::path> directories;  // each in which a part of the way is looked up
    fs::path file;
};

std::optional<Way> way_to(const fs::path& named) {
    Way way;
    way.file = "/";
    const fs::path absolute = fs::absolute(named);
    std::deque<fs::path> rest(++absolute.begin(), absolute.end());
    for (int links = 0; !rest.empty();) {
        const fs::path part = rest.front();
        rest.pop_front();
        if (part.empty() || part == ".") {
            continue;
        }
        if (part == "..") {
            way.file = way.file.parent_path();
            continue;
        }
        way.directories.push_back(way.file);
        const fs::path next = way.file / part;
        std::error_code failure;
        if (!fs::is_symlink(next, failure)) {
            way.file = next;
            continue;
        }
        const fs::path target = fs::read_symlink(next, failure);
        if (failure || ++links > most_links) {
            return std::nullopt;
        }
        if (target.is_absolute()) {
            way.file = "/";
        }
        rest.insert(rest.begin(), target.is_absolute() ? ++target.begin() : target.begin(),
                    target.end());
    }
    return way;
}

}  // namespace

bool others_may_write(mode_t mode, bool read_only) {
    return (mode & S_IWOTH) != 0 && !read_only;
}

bool others_may_replace_in(mode_t directory, bool read_only) {
    // In a sticky directory, only the owner of a file may replace it.
    return others_may_write(directory, read_only) && (directory & S_ISVTX) == 0;
}

std::optional<std::string> how_anybody_may_change(const fs::path& file) {
    const auto way = way_to(file);
    const auto mode = way ? mode_of(way->file) : std::nullopt;
    if (!mode) {
        return std::nullopt;
    }
    if (others_may_write(*mode, is_read_only(way->file))) {
        return fmt::format("everybody may change {0} (mode {1:04o}); chmod o-w {0}",
                           way->file.string(), *mode);
    }
    for (const fs::path& directory : way->directories) {
        const auto entered = mode_of(directory);
        if (entered && others_may_replace_in(*entered, is_read_only(directory))) {
            return fmt::format(
                "everybody may replace {0}, because the directory {1} on the way to it has mode "
                "{2:04o}; chmod o-w {1}",
                fs::absolute(file).string(), directory.string(), *entered);
        }
    }
    return std::nullopt;
}

}  // namespace mirror::daemon
