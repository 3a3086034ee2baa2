#include "daemon/error_exit.hpp"

#include <new>
#include <system_error>

#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include "core/copernica/api.hpp"
#include "core/copernica/errors.hpp"
#include "core/sync/errors.hpp"
#include "core/time/zone.hpp"
#include "core/util/printable.hpp"
#include "daemon/process/usage_error.hpp"
#include "storage/errors.hpp"
#include "storage/sqlite/errors.hpp"

namespace mirror::daemon {
namespace {

constexpr std::size_t longest_message = 4000;

template <typename... Kinds>
bool is_any(const std::exception& error) {
    return (... || (dynamic_cast<const Kinds*>(&error) != nullptr));
}

}  // namespace

ExitCode exit_code_of(const std::exception& error) {
    if (is_any<UsageError, UnknownZone, sync::WrongZone, storage::OtherZone, storage::OtherPrivacy>(
            error)) {
        return ExitCode::usage;
    }
    if (is_any<copernica::TokenRefused, storage::OtherAccount>(error)) {
        return ExitCode::token;
    }
    if (is_any<storage::DatabaseError>(error)) {
        return ExitCode::database;
    }
    if (is_any<sync::OtherRows>(error)) {
        return ExitCode::not_whole;
    }
    if (is_any<copernica::ApiFailed, copernica::ApiError>(error)) {
        return ExitCode::api;
    }
    return ExitCode::internal;
}

std::string message_of(const std::exception& error) {
    if (is_any<std::bad_alloc>(error)) {
        return "out of memory";
    }
    // Accounts' names and the API's words may be in it.
    std::string text = printable(error.what(), longest_message);
    // The system has no more of something: file descriptors, threads.
    const bool of_the_system = is_any<std::system_error, boost::system::system_error>(error);
    return exit_code_of(error) == ExitCode::internal && !of_the_system
               ? fmt::format("internal error, please report it: {}", text)
               : text;
}

}  // namespace mirror::daemon
