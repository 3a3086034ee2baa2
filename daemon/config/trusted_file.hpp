// Who may change a file that decides where the token goes.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <sys/stat.h>

namespace mirror::daemon {

/// How everybody on this machine could change the file, or replace it or a link on the way to it,
/// in words for people. Nothing if nobody else can, or if the file does not exist.
std::optional<std::string> how_anybody_may_change(const std::filesystem::path& file);

/// Whether the mode lets others write. `read_only`: the file system is mounted so, as Kubernetes
/// mounts a ConfigMap, whose directories have mode 0777. Pure.
bool others_may_write(mode_t mode, bool read_only);

/// Whether others may replace what the directory holds. Pure.
bool others_may_replace_in(mode_t directory, bool read_only);

}  // namespace mirror::daemon
