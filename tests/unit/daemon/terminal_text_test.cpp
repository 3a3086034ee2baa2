#include "daemon/cli/terminal_text.hpp"

#include <doctest/doctest.h>

using namespace mirror::daemon;

TEST_CASE("terminal text: numbers for people") {
    CHECK(grouped(0) == "0");
    CHECK(grouped(999) == "999");
    CHECK(grouped(1000) == "1,000");
    CHECK(grouped(1'200'345) == "1,200,345");
    CHECK(mebibytes(0) == "0.0");
    CHECK(mebibytes(123'456'789) == "117.7");
    CHECK(mebibytes(std::uint64_t{1} << 40) == "1048576.0");
}
