#include "core/copernica/machine_clock.hpp"

#include <chrono>

#include <fmt/format.h>

#include "core/copernica/server_clock.hpp"
#include "core/util/duration_text.hpp"

namespace mirror::copernica {

// A difference that the mirror itself takes at once is none.
std::optional<std::string> why_machine_clock_is_off(Seconds ahead) {
    if (std::chrono::abs(ahead) <= ServerClock::tolerance) {
        return std::nullopt;
    }
    return fmt::format("this machine's clock is {} {} the API's",
                       duration_text(std::chrono::abs(ahead)),
                       ahead.count() > 0 ? "ahead of" : "behind");
}

}  // namespace mirror::copernica
