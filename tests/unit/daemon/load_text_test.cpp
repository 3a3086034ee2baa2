#include "daemon/commands/load_text.hpp"

#include <doctest/doctest.h>

using namespace mirror;
using namespace mirror::daemon;

TEST_CASE("load text: what it takes, and the days that a budget makes of it") {
    plan::LoadSettings load;
    CHECK(estimate_text(plan::estimate_load(1'000'000, load), load) ==
          "about 1,000,000 rows: 1,086 requests, at least 109 s at 10 a second, 119 MB");
    load.page_size = 100;
    load.requests_per_second = 1;
    load.requests_per_day = 500;
    load.indexes = 3;
    CHECK(estimate_text(plan::estimate_load(930'000, load), load) ==
          "about 930,000 rows: 10,010 requests, at least 2 h 46 min at 1 a second, 133 MB; "
          "a budget of 500 requests a day makes that 21 days");
}
