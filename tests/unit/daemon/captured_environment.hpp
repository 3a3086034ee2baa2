// What a process would have around it: output that is kept as text, and this machine's clock.
#pragma once

#include <sstream>

#include "core/time/clock.hpp"
#include "daemon/process/environment.hpp"

namespace mirror::test {

struct CapturedEnvironment {
    std::ostringstream out;
    std::ostringstream err;
    SystemClock clock;
    daemon::Environment environment{out, err, clock};
};

}  // namespace mirror::test
