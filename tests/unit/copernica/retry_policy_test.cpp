#include "core/copernica/retry_policy.hpp"

#include <doctest/doctest.h>

#include "core/copernica/status_kind.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace std::chrono_literals;

namespace {

// The common case, changed by each line of the table.
FailedRequest failed_with(ErrorKind kind, int status) {
    FailedRequest failed;
    failed.kind = kind;
    failed.status = status;
    failed.probe_after = failures_before_probe;
    failed.give_up_after = Seconds(900);
    return failed;
}

}  // namespace

TEST_CASE("retry policy: what the kind of a failure decides") {
    const auto step = [](ErrorKind kind, int status) {
        return next_step(failed_with(kind, status));
    };
    CHECK(step(ErrorKind::try_again, 0) == NextStep::again);
    CHECK(step(ErrorKind::try_again, 429) == NextStep::again);
    CHECK(step(ErrorKind::try_again, 403) == NextStep::again);
    CHECK(step(ErrorKind::try_again, 504) == NextStep::again);
    CHECK(step(ErrorKind::invalid_response, 200) == NextStep::again);
    CHECK(step(ErrorKind::request_refused, 400) == NextStep::ask_others);
    CHECK(step(ErrorKind::request_refused, 404) == NextStep::ask_others);
    CHECK(step(ErrorKind::token_refused, 401) == NextStep::token_refused);
    CHECK(step(ErrorKind::unusable, 0) == NextStep::unusable);
}

TEST_CASE("retry policy: others are asked after some failures, never because of 429") {
    FailedRequest failed = failed_with(ErrorKind::try_again, 504);
    for (const auto& [failures, step] :
         {std::pair{1, NextStep::again}, std::pair{2, NextStep::again},
          std::pair{3, NextStep::ask_others}, std::pair{1000, NextStep::ask_others}}) {
        failed.failures = failures;
        CHECK(next_step(failed) == step);
    }
    failed.status = 429;
    CHECK(next_step(failed) == NextStep::again);
    failed.status = 504;
    failed.probe_after = 0;
    CHECK(next_step(failed) == NextStep::again);
}

TEST_CASE("retry policy: when a command gives up, and that `run` never does") {
    FailedRequest failed = failed_with(ErrorKind::try_again, 503);
    failed.failing_for = 899'999ms;
    CHECK(next_step(failed) == NextStep::again);
    failed.failing_for = 900s;
    CHECK(next_step(failed) == NextStep::patience_is_over);
    failed.failing_for = 0s;
    failed.retry_after = 900s;
    CHECK(next_step(failed) == NextStep::again);
    failed.retry_after = 901s;
    CHECK(next_step(failed) == NextStep::wait_too_long);

    failed.failing_for = 24h;
    failed.failures = 1;
    failed.give_up_after.reset();
    CHECK(next_step(failed) == NextStep::again);
}

TEST_CASE("retry policy: where nothing ever answered but with refusals, the address is wrong") {
    FailedRequest failed = failed_with(ErrorKind::try_again, 404);
    failed.probe_after = 0;
    failed.failures = refusals_before_giving_up;
    failed.answered = true;
    CHECK(next_step(failed) == NextStep::again);
    failed.answered = false;
    CHECK(next_step(failed) == NextStep::wrong_address);
    failed.failures = refusals_before_giving_up - 1;
    CHECK(next_step(failed) == NextStep::again);
    failed.failures = 100;
    failed.status = 503;
    CHECK(next_step(failed) == NextStep::again);
    failed.status = 404;
    failed.give_up_after.reset();
    CHECK(next_step(failed) == NextStep::again);
}

TEST_CASE("statuses: a refusal is the API's only in its own form") {
    struct Row {
        int status;
        bool is_identity;
        ErrorKind own;
        ErrorKind foreign;
    };
    constexpr auto again = ErrorKind::try_again;
    for (const Row& row :
         {Row{400, false, ErrorKind::request_refused, again},
          Row{400, true, ErrorKind::token_refused, again},
          Row{401, false, ErrorKind::token_refused, again},
          Row{401, true, ErrorKind::token_refused, again},
          Row{403, false, ErrorKind::token_refused, again},
          Row{404, false, ErrorKind::request_refused, again},
          Row{405, true, ErrorKind::request_refused, again}, Row{408, false, again, again},
          Row{429, true, again, again}, Row{500, false, again, again}, Row{504, true, again, again},
          Row{204, false, ErrorKind::invalid_response, ErrorKind::invalid_response}}) {
        CAPTURE(row.status);
        CHECK(kind_of_status(row.status, row.is_identity, true) == row.own);
        CHECK(kind_of_status(row.status, row.is_identity, false) == row.foreign);
    }
}
