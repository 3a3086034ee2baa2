// Users and groups by their names, for people.
#pragma once

#include <string>
#include <sys/types.h>

#include "storage/inspection.hpp"

namespace mirror::daemon {

/// The name, or the number if it has none.
std::string user_name(uid_t user);
std::string group_name(gid_t group);

/// "0640 root:analysts".
std::string owner_text(const storage::Entry& entry);

}  // namespace mirror::daemon
