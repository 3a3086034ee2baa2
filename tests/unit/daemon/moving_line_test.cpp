#include "daemon/cli/moving_line.hpp"

#include <cstddef>
#include <string>

#include <doctest/doctest.h>

#include "tests/unit/daemon/captured_environment.hpp"

using namespace mirror;
using namespace mirror::daemon;

TEST_CASE("moving line: written anew in its place, as wide as the terminal, and gone at the end") {
    test::CapturedEnvironment captured;
    captured.environment.err_is_terminal = true;
    captured.environment.err_columns = [] { return std::size_t{12}; };
    {
        MovingLine line(captured.environment, false);
        CHECK(line.is_visible());
        line.show("10 %");
        line.show("20 % of a text that is too long");
    }
    CHECK(captured.err.str() == "\r\x1b[2K10 %\r\x1b[2K20 % of a …\r\x1b[2K");
}

TEST_CASE("moving line: cleared once, and only if it was shown") {
    test::CapturedEnvironment captured;
    captured.environment.err_is_terminal = true;
    {
        MovingLine line(captured.environment, false);
        line.clear();
        CHECK(captured.err.str().empty());
        line.show("10 %");
        line.clear();
    }
    CHECK(captured.err.str() == "\r\x1b[2K10 %\r\x1b[2K");
}

TEST_CASE("moving line: nothing is shown where it would not be understood, or is not wanted") {
    const struct {
        bool is_terminal;
        bool no_color;
        bool quiet;
    } rows[] = {{false, false, false}, {true, true, false}, {true, false, true}};
    for (const auto& row : rows) {
        test::CapturedEnvironment captured;
        captured.environment.err_is_terminal = row.is_terminal;
        captured.environment.no_color = row.no_color;
        {
            MovingLine line(captured.environment, row.quiet);
            CHECK_FALSE(line.is_visible());
            line.show("10 %");
        }
        CHECK(captured.err.str().empty());
    }
}
