#include "daemon/error_exit.hpp"

#include <new>
#include <stdexcept>
#include <string>
#include <system_error>

#include <doctest/doctest.h>

#include "core/copernica/api.hpp"
#include "core/copernica/errors.hpp"
#include "core/sync/errors.hpp"
#include "daemon/process/usage_error.hpp"
#include "storage/sqlite/errors.hpp"

using namespace mirror;
using namespace mirror::daemon;

TEST_CASE("exit codes: whose fault it is") {
    CHECK(exit_code_of(UsageError("x")) == ExitCode::usage);
    CHECK(exit_code_of(sync::WrongZone("x")) == ExitCode::usage);
    CHECK(exit_code_of(sync::OtherRows("x")) == ExitCode::not_whole);
    CHECK(exit_code_of(copernica::TokenRefused("x")) == ExitCode::token);
    CHECK(exit_code_of(copernica::ApiFailed("x")) == ExitCode::api);
    CHECK(exit_code_of(copernica::ApiError(copernica::ErrorKind::try_again, "x")) == ExitCode::api);
}

TEST_CASE("exit codes: what nobody expected is neither the API's fault nor the user's") {
    CHECK(exit_code_of(std::bad_alloc()) == ExitCode::internal);
    CHECK(exit_code_of(std::invalid_argument("stoll")) == ExitCode::internal);
    CHECK(exit_code_of(std::runtime_error("x")) == ExitCode::internal);
    CHECK(static_cast<int>(ExitCode::internal) == 70);
}

TEST_CASE("exit codes: messages are on one line, and say whether to report them") {
    CHECK(message_of(UsageError("a\nb")) == "a\\nb");
    CHECK(message_of(std::invalid_argument("stoll")) == "internal error, please report it: stoll");
    CHECK(message_of(std::bad_alloc()) == "out of memory");
    const std::system_error no_threads(
        std::make_error_code(std::errc::resource_unavailable_try_again));
    CHECK(exit_code_of(no_threads) == ExitCode::internal);
    CHECK(message_of(no_threads).find("report") == std::string::npos);
}
