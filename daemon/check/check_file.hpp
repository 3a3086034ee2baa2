// `check`: the file, the files that belong to it, its disk. Pure.
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "daemon/check/finding.hpp"
#include "storage/inspection.hpp"

namespace mirror::daemon {

/// Who runs the check.
struct Reader {
    uid_t user = 0;
    /// Why the program cannot use the file, for people: it is another program's, or a newer
    /// version's. Nothing if it can, or if that is not known.
    std::optional<std::string> foreign;
};

/// The names of what judge_place() finds, in its order.
const std::vector<std::string>& place_checks();

/// The file's place, and who may do what with it.
Findings judge_place(const storage::Inspection& seen, const Reader& reader);

/// True if reading it creates no file: `-wal` and `-shm` are there.
bool may_be_read_without_a_trace(const storage::Inspection& seen);

/// `version` as SQLite numbers it: 3040001.
Finding judge_sqlite(int version);

/// Whether a `run` is at work on it.
Finding judge_run(const storage::Inspection& seen);

}  // namespace mirror::daemon
