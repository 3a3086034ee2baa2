// From a URL to a connected peer.
#pragma once

#include <memory>

#include <boost/asio/awaitable.hpp>

#include "core/http/timeouts.hpp"
#include "core/http/tls_context.hpp"
#include "core/http/transport.hpp"
#include "core/http/url.hpp"

namespace mirror::http {

/// Resolves, connects, and shakes hands if the URL says so. Of several addresses, the first that
/// answers. Throws ConnectionError, or boost::system::system_error (operation_aborted) when the
/// calling coroutine is cancelled.
boost::asio::awaitable<std::unique_ptr<Transport>> connect(BaseUrl url,
                                                           std::shared_ptr<TlsTrust> trust,
                                                           Timeouts timeouts);

}  // namespace mirror::http
