// What `check` finds of the configuration and the token.

#include "daemon/check/check_setup.hpp"

#include <doctest/doctest.h>

#include "tests/unit/daemon/check_fixture.hpp"

using namespace mirror;
using namespace mirror::daemon;
using namespace mirror::tests;

TEST_CASE("check: who may read the token's file") {
    CHECK(judge_token_file("/t", entry(0600)).verdict == Verdict::ok);
    CHECK(judge_token_file("/t", entry(0640)).verdict == Verdict::ok);
    CHECK(says(judge_token_file("/t", entry(0644)), "chmod 600 /t"));
    CHECK(judge_token_file("/t", entry(0602)).verdict == Verdict::warn);
    CHECK(says(judge_token_file("/t", entry(0660)), "chmod g-w /t"));
}
