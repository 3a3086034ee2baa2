#include "core/plan/window_aim.hpp"

#include <algorithm>
#include <random>

#include <doctest/doctest.h>

using namespace mirror::plan;

namespace {

constexpr std::uint64_t page = 999;  // new records: each page after the first repeats one

WindowFill fill(std::uint64_t total, std::uint64_t received, std::uint64_t wanted = 8000) {
    return {total, received, wanted, 1000};
}

// What is left of the last page.
std::uint64_t empty(std::uint64_t total, std::uint64_t received) {
    return (page - (total - received) % page) % page;
}

}  // namespace

TEST_CASE("aim: a window is aimed at full pages, less what the aim may be off by") {
    struct Case {
        const char* what;
        WindowFill fill;
        std::optional<std::uint64_t> better;
    };
    const Case cases[] = {
        {"the last page is nearly full", fill(7900, 1000), std::nullopt},
        {"and so is one that is not the eighth", fill(5900, 1000), std::nullopt},
        {"0.3 pages too many", fill(8300, 1000), 1000 + 7 * page - (page / 8 + 307 / 4)},
        {"0.8 pages too few", fill(7200, 1000), 1000 + 7 * page - (page / 8 + 793 / 4)},
        {"half of what is wanted: no better guess than half a page", fill(4300, 1000),
         1000 + 7 * page - page / 2},
        {"few, in a full page", fill(1999, 1000), 1000 + 7 * page - page / 2},
        {"too many, but not far too many: all full pages", fill(9500, 1000),
         1000 + 8 * page - (page / 8 + 508 / 4)},
        {"far too many", fill(50'000, 1000), 1000 + 7 * page - page / 2},
        {"it holds what is wanted, and a little more: that page is filled", fill(8200, 7994),
         7994 + page - (page / 8 + 793 / 4)},
        {"but the window does not become larger than that", fill(9'999, 9990), std::nullopt},
        {"windows of a page: the second one is filled as far as one may be too large",
         fill(1200, 1000, 875), std::nullopt},
        {"two pages", fill(2300, 1000, 1750), 1000 + page - (page / 8 + 301 / 4)},
        {"nothing is known", fill(0, 0), std::nullopt},
        {"pages of one record", {20, 1, 8, 1}, std::nullopt},
    };
    for (const Case& test : cases) {
        CAPTURE(test.what);
        CHECK(better_total(test.fill) == test.better);
    }
}

TEST_CASE(
    "aim: a better total leaves less of a page empty, or makes a window that is too short longer") {
    std::mt19937 random(1);
    for (int i = 0; i < 100'000; ++i) {
        const std::uint64_t wanted = 1000 * (1 + random() % 16);
        const std::uint64_t total = 1 + random() % (3 * wanted);
        const std::uint64_t received = std::min<std::uint64_t>(total, 1000 + random() % total);
        const auto better = better_total(fill(total, received, wanted));
        if (!better) {
            continue;
        }
        CAPTURE(wanted);
        CAPTURE(total);
        CAPTURE(received);
        REQUIRE(*better > received);
        REQUIRE(*better <= most_records(std::max(wanted, total)));
        const bool fuller = empty(*better, received) < empty(total, received);
        const bool was_short = total * 2 < wanted;
        const bool was_crowded = total > most_records(wanted);
        REQUIRE((fuller || was_short || was_crowded));
    }
}
