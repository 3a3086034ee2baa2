#include "core/copernica/backoff.hpp"

#include <algorithm>
#include <cstdint>

namespace mirror::copernica {

std::chrono::milliseconds Backoff::ceiling(unsigned failures) {
    // 2^9 s is more than five minutes: no shift beyond that is needed.
    const unsigned doublings = std::min(failures > 0 ? failures - 1 : 0U, 9U);
    return std::min(first_ceiling * (1 << doublings), last_ceiling);
}

std::chrono::milliseconds Backoff::wait(unsigned failures, double jitter) {
    const auto most = static_cast<double>(ceiling(failures).count());
    return std::chrono::milliseconds(static_cast<std::int64_t>(most * jitter));
}

std::chrono::seconds Backoff::asked(std::chrono::seconds retry_after) {
    return std::clamp(retry_after, std::chrono::seconds(0), longest_retry_after);
}

}  // namespace mirror::copernica
