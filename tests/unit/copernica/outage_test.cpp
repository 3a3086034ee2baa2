#include "core/copernica/outage.hpp"

#include <doctest/doctest.h>

#include "core/copernica/api.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace std::chrono_literals;

TEST_CASE("outage: one line when it starts, a rare reminder, one line when it ends") {
    OutageLog log;
    const Monotonic start{};
    CHECK_FALSE(log.failed(Trouble::no_answer, "refused", start, true).has_value());
    CHECK_FALSE(log.failed(Trouble::no_answer, "refused", start + 1s, true).has_value());
    CHECK_FALSE(log.reason().has_value());
    CHECK(log.failed(Trouble::no_answer, "refused", start + 3s, true) ==
          "the API does not answer: refused; trying again with growing pauses");
    CHECK(log.reason() == "refused");
    CHECK_FALSE(log.failed(Trouble::no_answer, "timed out", start + 30min, true).has_value());
    CHECK(log.failed(Trouble::no_answer, "timed out", start + 61min, true) ==
          "the API has not answered for 61 min, 5 attempts: timed out");
    CHECK_FALSE(log.failed(Trouble::no_answer, "timed out", start + 62min, true).has_value());
    CHECK(log.succeeded(start + 150min) ==
          "the API answers again, after 2 h 30 min and 6 failed attempts");
    CHECK_FALSE(log.succeeded(start + 151min).has_value());
    CHECK_FALSE(log.reason().has_value());
}

TEST_CASE("outage: single failures are none") {
    OutageLog log;
    const Monotonic start{};
    for (int i = 0; i < 10; ++i) {
        CHECK_FALSE(log.failed(Trouble::no_answer, "reset", start + i * 10s, true).has_value());
        CHECK_FALSE(
            log.failed(Trouble::no_answer, "reset", start + i * 10s + 1s, true).has_value());
        CHECK_FALSE(log.succeeded(start + i * 10s + 2s).has_value());
    }
}

TEST_CASE("outage: what may be the fault of one period alone is none") {
    OutageLog log;
    for (int i = 0; i < 10; ++i) {
        CHECK_FALSE(log.failed(Trouble::error_status, "504", Monotonic{} + i * 10s, false));
    }
    CHECK_FALSE(log.reason().has_value());
    CHECK(log.failed(Trouble::error_status, "503", Monotonic{} + 100s, true).has_value());
    log.succeeded(Monotonic{} + 101s);
    for (int i = 0; i < 10; ++i) {
        CHECK_FALSE(log.failed(Trouble::error_status, "504", Monotonic{} + 200s, false));
    }
}

TEST_CASE("outage: it is called what it is") {
    const auto start_of = [](Trouble trouble) {
        OutageLog log;
        log.failed(trouble, "why", Monotonic{}, true);
        log.failed(trouble, "why", Monotonic{}, true);
        return log.failed(trouble, "why", Monotonic{}, true).value_or("");
    };
    CHECK(start_of(Trouble::no_answer).starts_with("the API does not answer: why"));
    CHECK(start_of(Trouble::error_status).starts_with("the API answers with errors: why"));
    CHECK(start_of(Trouble::invalid_response).starts_with("the API's replies are not valid: why"));
    CHECK(start_of(Trouble::unusable).starts_with("the API cannot be used: why"));

    // The reminder has the trouble of that moment, and the line at the end is about the same one.
    OutageLog log;
    for (int i = 0; i < 3; ++i) {
        log.failed(Trouble::no_answer, "refused", Monotonic{}, true);
    }
    CHECK(log.failed(Trouble::error_status, "503", Monotonic{} + 61min, true) ==
          "the API has answered with errors for 61 min, 4 attempts: 503");
    CHECK(log.succeeded(Monotonic{} + 62min) ==
          "the API works again, after 62 min and 4 failed attempts");
}

TEST_CASE("outage: which trouble an error is") {
    CHECK(trouble_of(ApiError(ErrorKind::try_again, "reset")) == Trouble::no_answer);
    CHECK(trouble_of(ApiError(ErrorKind::try_again, "429", 429)) == Trouble::error_status);
    CHECK(trouble_of(ApiError(ErrorKind::try_again, "503", 503)) == Trouble::error_status);
    CHECK(trouble_of(ApiError(ErrorKind::invalid_response, "not JSON")) ==
          Trouble::invalid_response);
    CHECK(trouble_of(ApiError(ErrorKind::unusable, "certificate")) == Trouble::unusable);
}
