// A program without prometheus-cpp refuses to serve metrics, with the reason.
#include <doctest/doctest.h>

#include "daemon/metrics/metrics.hpp"
#include "daemon/metrics/metrics_file.hpp"
#include "daemon/process/usage_error.hpp"

using namespace mirror::daemon;

TEST_CASE("metrics: not built in") {
    CHECK_THROWS_WITH_AS(Metrics("[metrics] listen"),
                         doctest::Contains("[metrics] listen: this program was built without"),
                         UsageError);
    CHECK_THROWS_WITH_AS(MetricsFile("mirror.prom"),
                         doctest::Contains("--metrics-file: this program was built without"),
                         UsageError);
}
