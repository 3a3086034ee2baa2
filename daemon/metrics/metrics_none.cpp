// Instead of metrics_prometheus.cpp if prometheus-cpp is not there.
#include <fmt/format.h>

#include "daemon/metrics/metrics.hpp"
#include "daemon/process/usage_error.hpp"

namespace mirror::daemon {

struct Metrics::Families {};

Metrics::Metrics(std::string_view setting) {
    throw UsageError(fmt::format(
        "{}: this program was built without prometheus-cpp, so it has no metrics; leave it out",
        setting));
}

Metrics::~Metrics() = default;

void Metrics::request_ended(copernica::RequestOutcome, std::chrono::nanoseconds) {}
void Metrics::request_again() {}

void Metrics::rate_changed(double) {}
void Metrics::stored(const sync::Written&) {}
void Metrics::set_file(const Statuses&) {}
void Metrics::set_free_bytes(std::uint64_t) {}
void Metrics::set_process(const ProcessUsage&) {}
void Metrics::set_run(ExitCode, Instant) {}

std::string Metrics::text() const {
    return {};
}

}  // namespace mirror::daemon
