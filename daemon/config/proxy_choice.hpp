// Through which proxy a server is reached.
#pragma once

#include <optional>

#include "core/http/proxy.hpp"
#include "core/http/url.hpp"
#include "daemon/config/config.hpp"
#include "daemon/process/environment.hpp"

namespace mirror::daemon {

/// What [api] proxy says; if it is empty, what $HTTPS_PROXY and $NO_PROXY say, as curl reads them.
/// Nothing: none. A password that is not in the URL comes from [api] proxy_password_file, or from
/// the systemd credential `proxy_password`. Throws UsageError, never with the password in the
/// text.
std::optional<http::ProxyAddress> choose_proxy(const Config& config, const Environment& environment,
                                               const http::BaseUrl& server);

}  // namespace mirror::daemon
