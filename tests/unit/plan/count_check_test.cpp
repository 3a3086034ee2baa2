#include "core/plan/count_check.hpp"

#include <doctest/doctest.h>

using namespace mirror::plan;

TEST_CASE("counts: the API's lies between the file's before and after") {
    CHECK_FALSE(difference_of(5, 5, 5).has_value());
    CHECK_FALSE(difference_of(6, 5, 7).has_value());
    CHECK_FALSE(difference_of(0, 0, 0).has_value());
    CHECK(text_of(difference_of(8, 5, 7).value()) == "the API counts 1 more");
    CHECK(text_of(difference_of(4, 5, 7).value()) == "the API counts 1 fewer");
    CHECK(text_of(difference_of(0, 5, 5).value()) == "the API counts 5 fewer");
}
