// The log: standard error, for people, for the journal or for machines.
#pragma once

#include <iosfwd>
#include <memory>
#include <string>

#include <spdlog/logger.h>

#include "daemon/process/environment.hpp"

namespace mirror::daemon {

struct LogOptions {
    std::string level = "info";   ///< one of log_levels()
    std::string format = "text";  ///< one of log_formats()
    bool quiet = false;           ///< warnings and errors only
};

/// A logger on `environment.err`. Text has colour on a terminal (unless NO_COLOR or quiet), and the
/// journal's priorities instead of a time if the journal reads it. JSON is one object a line
/// with the keys time (UTC), level and message. Whatever a message carries, it is one line of valid
/// UTF-8 and steers no terminal: see printable().
std::shared_ptr<spdlog::logger> make_logger(const Environment& environment,
                                            const LogOptions& options);

/// Changes the level of a logger.
void set_level(spdlog::logger& logger, const LogOptions& options);

}  // namespace mirror::daemon
