#include "tests/unit/api/tls_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdexcept>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace {

struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* ssl) const { SSL_free(ssl); }
    void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

void add_extension(X509* to, X509* issuer, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
    const Owned<X509_EXTENSION> extension(
        X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
    if (!extension || X509_add_ext(to, extension.get(), -1) != 1) {
        throw std::runtime_error("X509V3_EXT_conf_nid");
    }
}

// A certificate for `key`, signed by the issuer; without one, its own CA.
Owned<X509> certify(EVP_PKEY* key, const char* name, X509* issuer, EVP_PKEY* issuer_key,
                    const TlsIdentity& identity) {
    Owned<X509> certificate(X509_new());
    X509* const made = certificate.get();
    X509_set_version(made, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made), issuer == nullptr ? 1 : 2);
    X509_gmtime_adj(X509_getm_notBefore(made), issuer == nullptr ? -86400 : identity.begins);
    X509_gmtime_adj(X509_getm_notAfter(made), issuer == nullptr ? 86400 : identity.ends);
    X509_set_pubkey(made, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    X509* const signer = issuer == nullptr ? made : issuer;
    X509_set_issuer_name(made, X509_get_subject_name(signer));
    if (issuer == nullptr) {
        add_extension(made, signer, NID_basic_constraints, "critical,CA:TRUE");
        add_extension(made, signer, NID_subject_key_identifier, "hash");
    } else {
        add_extension(made, signer, NID_subject_alt_name, identity.name);
    }
    if (X509_sign(made, issuer == nullptr ? key : issuer_key, EVP_sha256()) == 0) {
        throw std::runtime_error("X509_sign");
    }
    return certificate;
}

}  // namespace

struct TlsServer::Context {
    Owned<SSL_CTX> tls;
};

TlsServer::TlsServer(const TlsIdentity& identity, std::string reply, bool say_goodbye, int requests)
    : context_(std::make_unique<Context>()) {
    const Owned<EVP_PKEY> ca_key(EVP_EC_gen("P-256"));
    const Owned<EVP_PKEY> other_key(EVP_EC_gen("P-256"));
    const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
    const Owned<X509> ca = certify(ca_key.get(), "Test CA", nullptr, nullptr, identity);
    const Owned<X509> other = certify(other_key.get(), "Other CA", nullptr, nullptr, identity);
    const Owned<X509> certificate =
        identity.known_root ? certify(key.get(), "server", ca.get(), ca_key.get(), identity)
                            : certify(key.get(), "server", other.get(), other_key.get(), identity);

    char path[] = "/tmp/tls-server-XXXXXX";
    const int file = ::mkstemp(path);
    FILE* const stream = ::fdopen(file, "w");
    PEM_write_X509(stream, ca.get());
    std::fclose(stream);
    ca_file_ = path;

    context_->tls.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX* const tls = context_->tls.get();
    // Old versions of TLS are for level 0 only.
    SSL_CTX_set_security_level(tls, 0);
    SSL_CTX_set_min_proto_version(tls, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(tls, identity.max_version);
    if (SSL_CTX_use_certificate(tls, certificate.get()) != 1 ||
        SSL_CTX_use_PrivateKey(tls, key.get()) != 1) {
        throw std::runtime_error("SSL_CTX_use_certificate");
    }

    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
        ::listen(listener_, 16) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
        throw std::runtime_error("the TLS server cannot listen");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, reply = std::move(reply), say_goodbye, requests] {
        run(reply, say_goodbye, requests);
    });
}

TlsServer::~TlsServer() {
    ::shutdown(listener_, SHUT_RDWR);
    join();
    ::close(listener_);
    ::unlink(ca_file_.c_str());
}

void TlsServer::join() {
    if (thread_.joinable()) {
        thread_.join();
    }
}

const std::string& TlsServer::received() {
    join();
    return received_;
}

const std::string& TlsServer::asked_name() {
    join();
    return asked_name_;
}

void TlsServer::run(const std::string& reply, bool say_goodbye, int requests) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) {
        return;
    }
    const Owned<SSL> ssl(SSL_new(context_->tls.get()));
    SSL_set_fd(ssl.get(), socket);
    if (SSL_accept(ssl.get()) == 1) {
        const char* const name = SSL_get_servername(ssl.get(), TLSEXT_NAMETYPE_host_name);
        asked_name_ = name == nullptr ? "" : name;
        char buffer[4096];
        int bytes = 1;
        for (; requests > 0 && bytes > 0; --requests) {
            const std::size_t begin = received_.size();
            while (received_.find("\r\n\r\n", begin) == std::string::npos &&
                   (bytes = SSL_read(ssl.get(), buffer, sizeof buffer)) > 0) {
                received_.append(buffer, static_cast<std::size_t>(bytes));
            }
            if (bytes > 0) {
                SSL_write(ssl.get(), reply.data(), static_cast<int>(reply.size()));
            }
        }
        if (bytes > 0 && say_goodbye) {
            SSL_shutdown(ssl.get());
        }
    }
    ::close(socket);
}
