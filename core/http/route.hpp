// How to get to a server.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/ip/address.hpp>

#include "core/http/proxy.hpp"
#include "core/http/timeouts.hpp"
#include "core/http/tls_context.hpp"
#include "core/http/url.hpp"

namespace mirror::http {

struct Route {
    Route(BaseUrl server, std::shared_ptr<TlsTrust> whom_to_trust, Timeouts how_long)
        : url(std::move(server)), trust(std::move(whom_to_trust)), timeouts(how_long) {}

    BaseUrl url;
    std::shared_ptr<TlsTrust> trust;  ///< null for plain HTTP
    Timeouts timeouts;
    std::optional<ProxyAddress> proxy{};  ///< not for plain HTTP
    /// The address that was good last, of all connections on this route: to be tried first.
    std::shared_ptr<std::optional<boost::asio::ip::address>> last_good =
        std::make_shared<std::optional<boost::asio::ip::address>>();
};

}  // namespace mirror::http
