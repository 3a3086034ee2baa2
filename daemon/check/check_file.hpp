// `check`: the file as it lies there, its neighbours, its disk. Pure.
#pragma once

#include <string>
#include <vector>

#include "daemon/check/finding.hpp"
#include "storage/inspection.hpp"

namespace mirror::daemon {

/// The names of what judge_place() finds, in its order.
const std::vector<std::string>& place_checks();

/// Where the file lies, and who may do what with it.
Findings judge_place(const storage::Inspection& seen);

/// True where reading it makes no file: `-wal` and `-shm` are there.
bool may_be_read_without_a_trace(const storage::Inspection& seen);

/// `version` as SQLite numbers it: 3040001.
Finding judge_sqlite(int version);

/// Whether a `run` is at work on it.
Finding judge_run(const storage::Inspection& seen);

}  // namespace mirror::daemon
