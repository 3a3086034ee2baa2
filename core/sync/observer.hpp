// What a run tells about itself while it works.
#pragma once

#include <cstdint>
#include <string>

#include "core/sync/store.hpp"
#include "core/time/window.hpp"

namespace mirror::sync {

struct Progress {
    Window period;               ///< what is being completed
    Seconds width{};             ///< how much of it was missing at the start
    Seconds done{};              ///< how much of that has been read
    Window window;               ///< read last
    std::uint64_t rows = 0;      ///< stored so far, changed or not
    std::uint64_t requests = 0;  ///< so far
};

/// Called on the loop's thread; must not block.
class Observer {
  public:
    virtual ~Observer() = default;

    virtual void progress(const Progress& progress) = 0;

    // Lines for the log, each complete in itself.
    virtual void debug(const std::string& line) = 0;
    virtual void info(const std::string& line) = 0;
    virtual void warning(const std::string& line) = 0;
};

}  // namespace mirror::sync
