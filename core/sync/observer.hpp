// What a run tells about itself while it works.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/copernica/request_observer.hpp"
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

/// How a session that follows an account (`run`) is doing.
struct Following {
    std::optional<Window> complete;       ///< the newest unbroken complete period
    Instant server_now{};                 ///< by the server's clock, as far as it is known
    std::optional<Instant> last_success;  ///< our clock: of the last successful poll of this run
    std::optional<std::string> trouble;   ///< what is wrong, and what to do; nothing: all is well
};

/// Called on the loop's thread; must not block, nor throw. Override what you need.
class Observer : public copernica::RequestObserver {
  public:
    virtual void progress(const Progress&) {}

    /// A transaction was committed.
    virtual void stored(const Written&) {}
    /// After each poll of `run`, and whenever something goes wrong in it.
    virtual void following(const Following&) {}
};

}  // namespace mirror::sync
