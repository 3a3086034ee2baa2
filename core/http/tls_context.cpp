#include "core/http/tls_context.hpp"

#include <stdexcept>

#include <openssl/ssl.h>

#include "core/http/tls_trust.hpp"

namespace mirror::http {

std::shared_ptr<TlsTrust> load_trust(const std::string& ca_file) {
    auto trust = std::make_shared<TlsTrust>();
    SSL_CTX* const native = trust->context.native_handle();
    boost::system::error_code error;
    if (ca_file.empty()) {
        trust->context.set_default_verify_paths(error);
    } else {
        trust->context.load_verify_file(ca_file, error);
    }
    if (error) {
        throw std::runtime_error((ca_file.empty() ? "the system's CA certificates" : ca_file) +
                                 ": cannot be read as PEM certificates: " + error.message());
    }
    // Not left to the system's configuration, which may be laxer.
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    SSL_CTX_set_security_level(native, 2);
    SSL_CTX_set_cipher_list(native, "HIGH:!aNULL:!eNULL:!3DES:!RC4:!MD5:!PSK:!SRP");
    SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_verify(native, SSL_VERIFY_PEER, nullptr);
    return trust;
}

}  // namespace mirror::http
