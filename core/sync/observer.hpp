// What a run reports while it works.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/copernica/request_observer.hpp"
#include "core/record/stream.hpp"
#include "core/sync/load_rate.hpp"
#include "core/sync/store.hpp"
#include "core/time/clock.hpp"
#include "core/time/window.hpp"

namespace mirror::sync {

/// How far a load of more than a day is.
struct Progress {
    const Stream* stream = nullptr;         ///< what is loaded, if it is one of several
    Window period;                          ///< what is being completed
    Instant at{};                           ///< begin of what is read now; see LoadMeter
    std::uint64_t rows = 0;                 ///< received so far, also of windows not yet whole
    std::optional<std::uint64_t> expected;  ///< rows in all; nothing: not known
    Monotonic since{};                      ///< when the work began, or went on after a pause
    Monotonic::duration before{};           ///< how long it had taken before that
    LoadMark rate_from;                     ///< what the rate is counted from
};

/// So many rows are being loaded into a period of which the file had none.
struct FirstLoad {
    const Stream* stream = nullptr;  ///< always set
    bool one_of_several = false;
    std::uint64_t rows = 0;
};

/// How a stream of a session that follows an account (`run`) is doing.
struct Following {
    const Stream* stream = nullptr;       ///< always set
    std::optional<Window> complete;       ///< the newest unbroken complete period
    Instant server_now{};                 ///< by the server's clock, as far as it is known
    std::optional<Instant> last_success;  ///< our clock: of the last successful poll of this run
    std::optional<std::string> trouble;   ///< what is wrong, and what to do; nothing: all is well
};

/// Called on the loop's thread; must not block, nor throw. Override what you need.
class Observer : public copernica::RequestObserver {
  public:
    virtual void progress(const Progress&) {}
    virtual void first_load(const FirstLoad&) {}
    /// The load that progress() reports has ended, or pauses.
    virtual void progress_paused() {}

    /// A transaction was committed.
    virtual void stored(const Written&) {}
    /// After each poll of `run`, and whenever something goes wrong in it.
    virtual void following(const Following&) {}
};

}  // namespace mirror::sync
