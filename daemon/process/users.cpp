#include "daemon/process/users.hpp"

#include <array>
#include <grp.h>
#include <pwd.h>

#include <fmt/format.h>

namespace mirror::daemon {
namespace {

constexpr std::size_t enough = 16 * 1024;

}  // namespace

std::string user_name(uid_t user) {
    std::array<char, enough> text{};
    passwd entry{};
    passwd* found = nullptr;
    if (getpwuid_r(user, &entry, text.data(), text.size(), &found) == 0 && found != nullptr) {
        return found->pw_name;
    }
    return std::to_string(user);
}

std::string group_name(gid_t group) {
    std::array<char, enough> text{};
    struct group entry {};
    struct group* found = nullptr;
    if (getgrgid_r(group, &entry, text.data(), text.size(), &found) == 0 && found != nullptr) {
        return found->gr_name;
    }
    return std::to_string(group);
}

std::string owner_text(const storage::Entry& entry) {
    return fmt::format("{:04o} {}:{}", static_cast<unsigned>(entry.mode), user_name(entry.owner),
                       group_name(entry.group));
}

}  // namespace mirror::daemon
