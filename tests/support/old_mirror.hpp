// Files as versions 1 and 2 of the schema made them.
#pragma once

#include <filesystem>

namespace mirror::test {

/// A file of account 34 with twenty rows, of which two are removed, two rejects, coverage of two
/// ages, two runs and the facts that go with them; and a view and a table that its user made.
/// `version`: 1 or 2.
void make_old_mirror(const std::filesystem::path& path, int version);

}  // namespace mirror::test
