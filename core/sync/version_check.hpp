// Whether a file that was made with one version of the API can be kept with another one: compares a
// sample of its rows.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "core/sync/run_context.hpp"

namespace mirror::sync {

/// Compares a sample of the file's newest rows with what the API shows, once after its version has
/// changed. Throws OtherRows if they contradict each other.
boost::asio::awaitable<void> check_version(RunContext& context);

}  // namespace mirror::sync
