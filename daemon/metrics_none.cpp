// Instead of metrics_prometheus.cpp where prometheus-cpp is not there.
#include "daemon/metrics.hpp"
#include "daemon/usage_error.hpp"

namespace mirror::daemon {

struct Metrics::Families {};

Metrics::Metrics() {
    throw UsageError(
        "[metrics] listen: this program was built without prometheus-cpp, so it has no metrics; "
        "leave the key empty");
}

Metrics::~Metrics() = default;

void Metrics::request_ended(sync::RequestOutcome, std::chrono::nanoseconds) {}
void Metrics::request_again() {}
void Metrics::stored(const sync::Written&) {}
void Metrics::set_file(const Status&) {}

std::string Metrics::text() const {
    return {};
}

}  // namespace mirror::daemon
