// Whom to trust, and how TLS is spoken.
#pragma once

#include <memory>
#include <string>

namespace mirror::http {

/// Shared by all connections. It is defined in tls_trust.hpp, for those that speak TLS.
class TlsTrust;

/// The system's CAs, or those of a PEM file. Throws std::runtime_error, which names the file,
/// if they cannot be read.
std::shared_ptr<TlsTrust> load_trust(const std::string& ca_file);

}  // namespace mirror::http
