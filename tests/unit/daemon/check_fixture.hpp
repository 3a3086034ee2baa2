// What the tests of `check` share: looking into its findings, and an entry of a directory.
#pragma once

#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "daemon/check/finding.hpp"
#include "storage/inspection.hpp"

namespace mirror::tests {

/// The finding of that name; the test fails if there is none.
const daemon::Finding& named(const daemon::Findings& findings, std::string_view name);

std::vector<std::string> names_of(const daemon::Findings& findings);

/// Whether the detail or the advice contains the words.
bool says(const daemon::Finding& finding, const std::string& words);

/// A regular file of user 1 and group 2 that this process may read and write.
storage::Entry entry(mode_t mode);

}  // namespace mirror::tests
