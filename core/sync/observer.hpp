// What a run tells about itself while it works.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
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

/// How one request ended. All but `ok` and `cancelled` are what api::ErrorKind says, judged by us.
enum class RequestOutcome {
    ok,
    failed,  ///< no usable answer: refused, cut off, timed out, 429, 5xx
    not_plainly_right,
    request_refused,
    token_refused,
    unusable,
    cancelled,  ///< by us, on the way to the end
};

/// How a session that follows an account (`run`) is doing.
struct Following {
    std::optional<Window> complete;       ///< the newest unbroken complete period
    Instant server_now{};                 ///< by the server's clock, as far as it is known
    std::optional<Instant> last_success;  ///< our clock: when a poll of this run last ended well
    std::optional<std::string> trouble;   ///< what is wrong, and what to do; nothing: all is well
};

/// Called on the loop's thread; must not block, nor throw. Who observes implements what concerns
/// him.
class Observer {
  public:
    virtual ~Observer() = default;

    virtual void progress(const Progress&) {}

    // Lines for the log, each complete in itself.
    virtual void debug(const std::string&) {}
    virtual void info(const std::string&) {}
    virtual void warning(const std::string&) {}

    /// A request ended, after so long.
    virtual void request_ended(RequestOutcome, std::chrono::nanoseconds) {}
    /// One that failed is made again.
    virtual void request_again() {}
    /// A transaction was committed.
    virtual void stored(const Written&) {}
    /// After each poll of `run`, and whenever something goes wrong in it.
    virtual void following(const Following&) {}
};

}  // namespace mirror::sync
