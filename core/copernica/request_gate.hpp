// Where every request passes on its way to the wire.
#pragma once

#include <boost/asio/awaitable.hpp>

namespace mirror::copernica {

/// One call may take several requests: redirects, a repetition on a new connection, the check of a
/// new token. Each of them passes here, so that each keeps to the rate and is counted.
class RequestGate {
  public:
    virtual ~RequestGate() = default;

    /// To be awaited before each request, and before the connection for it is opened. Waits for the
    /// rate. Throws boost::system::system_error (operation_aborted) if the caller is cancelled.
    virtual boost::asio::awaitable<void> pass() = 0;
};

/// Lets everything through at once.
class OpenGate final : public RequestGate {
  public:
    boost::asio::awaitable<void> pass() override { co_return; }
};

}  // namespace mirror::copernica
