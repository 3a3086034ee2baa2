// From a URL to a connected peer.
#pragma once

#include <memory>

#include <boost/asio/awaitable.hpp>

#include "core/http/route.hpp"
#include "core/http/transport.hpp"

namespace mirror::http {

/// Resolves, connects, asks the proxy for a tunnel if there is one, and shakes hands if the URL
/// says so. Of several addresses, the first that
/// answers. Throws ConnectionError, or boost::system::system_error (operation_aborted) when the
/// calling coroutine is cancelled.
boost::asio::awaitable<std::unique_ptr<Transport>> connect(Route route);

}  // namespace mirror::http
