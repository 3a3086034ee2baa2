// `erase`.
#pragma once

#include <string>
#include <vector>

#include <spdlog/logger.h>

#include "daemon/cli/command_line.hpp"
#include "daemon/config/config.hpp"
#include "daemon/process/environment.hpp"
#include "daemon/process/exit_code.hpp"
#include "storage/eraser.hpp"

namespace mirror::daemon {

/// What the command line asks for. Throws UsageError if a time is in the future.
storage::ErasureRequest requested_erasure(const CommandLine& line, Instant now, const Zone& zone);

/// What people should know of the times it names: what is erased is not what was written, because
/// clocks changed.
std::vector<std::string> erasure_notes(const CommandLine& line, Instant now, const Zone& zone);

/// "impressions: 12 rows and 1 reject erased", for people; no word of what they were erased by.
std::string erased_text(const storage::ErasedOfStream& erased, bool dry_run);

/// Erases, or counts what there is to erase. Creates no file and asks the API nothing. Throws
/// UsageError, and storage errors.
ExitCode erase_records(const CommandLine& line, const Config& config,
                       const Environment& environment, spdlog::logger& log);

}  // namespace mirror::daemon
