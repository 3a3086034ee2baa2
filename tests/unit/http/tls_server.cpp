#include "tests/unit/http/tls_server.hpp"

#include <filesystem>
#include <stdexcept>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace {

struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* ssl) const { SSL_free(ssl); }
    void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
    void operator()(BIGNUM* number) const { BN_free(number); }
    void operator()(OSSL_PARAM* parameters) const { OSSL_PARAM_free(parameters); }
    void operator()(OSSL_PARAM_BLD* builder) const { OSSL_PARAM_BLD_free(builder); }
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

Owned<EVP_PKEY> make_key(unsigned rsa_bits = 0) {
    Owned<EVP_PKEY> key(rsa_bits == 0 ? EVP_EC_gen("P-256") : EVP_RSA_gen(rsa_bits));
    if (!key) {
        throw std::runtime_error("EVP_PKEY_Q_keygen");
    }
    return key;
}

struct Authority {
    Owned<EVP_PKEY> key;
    Owned<X509> certificate;
};

// A certificate for `key`, signed by the issuer; without one, by itself.
Owned<X509> certify(EVP_PKEY* key, const TlsIdentity& identity, const Authority* issuer,
                    bool is_authority) {
    static long last_serial = 0;
    Owned<X509> certificate(X509_new());
    X509* const made = certificate.get();
    X509_set_version(made, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made), ++last_serial);
    X509_gmtime_adj(X509_getm_notBefore(made), identity.begins);
    X509_gmtime_adj(X509_getm_notAfter(made), identity.ends);
    X509_set_pubkey(made, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(identity.subject.c_str()), -1,
                               -1, 0);
    X509* const signer = issuer == nullptr ? made : issuer->certificate.get();
    X509_set_issuer_name(made, X509_get_subject_name(signer));
    if (is_authority) {
        add_extension(made, signer, NID_basic_constraints, "critical,CA:TRUE");
        add_extension(made, signer, NID_subject_key_identifier, "hash");
    } else {
        add_extension(made, signer, NID_basic_constraints, "CA:FALSE");
        add_extension(made, signer, NID_ext_key_usage, identity.usage);
        if (!identity.name.empty()) {
            add_extension(made, signer, NID_subject_alt_name, identity.name);
        }
    }
    if (X509_sign(made, issuer == nullptr ? key : issuer->key.get(),
                  EVP_get_digestbyname(identity.digest)) == 0) {
        throw std::runtime_error("X509_sign");
    }
    return certificate;
}

Authority make_authority(const std::string& name, const Authority* issuer = nullptr,
                         bool may_sign = true) {
    TlsIdentity identity;
    identity.subject = name;
    identity.begins = -86400;
    identity.ends = 86400;
    Authority made;
    made.key = make_key();
    made.certificate = certify(made.key.get(), identity, issuer, may_sign);
    return made;
}

void use_group(SSL_CTX* tls, const TlsIdentity& identity) {
    if (identity.group == TlsIdentity::Group::none) {
        return;
    }
    const Owned<EVP_PKEY_CTX> making(EVP_PKEY_CTX_new_from_name(nullptr, "DH", nullptr));
    EVP_PKEY* group = nullptr;
    bool made = EVP_PKEY_fromdata_init(making.get()) == 1;
    const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
    Owned<BIGNUM> prime;
    const Owned<BIGNUM> generator(BN_new());
    if (identity.group == TlsIdentity::Group::ffdhe2048) {
        made = made && OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                                       "ffdhe2048", 0) == 1;
    } else {
        prime.reset(BN_get_rfc2409_prime_1024(nullptr));
        made = made && BN_set_word(generator.get(), 2) == 1 &&
               OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_FFC_P, prime.get()) == 1 &&
               OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_FFC_G, generator.get()) == 1;
    }
    const Owned<OSSL_PARAM> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
    made = made &&
           EVP_PKEY_fromdata(making.get(), &group, EVP_PKEY_KEY_PARAMETERS, parameters.get()) == 1;
    if (!made || SSL_CTX_set0_tmp_dh_pkey(tls, group) != 1) {
        throw std::runtime_error("SSL_CTX_set0_tmp_dh_pkey");
    }
}

}  // namespace

struct TlsServer::Context {
    Owned<SSL_CTX> tls;
};

TlsServer::TlsServer(const TlsIdentity& identity, std::string reply, bool say_goodbye, int requests)
    : context_(std::make_unique<Context>()) {
    using Issuer = TlsIdentity::Issuer;
    const Authority ca = make_authority("Test CA");
    const Authority other = make_authority("Other CA");
    const bool of_other = identity.issuer == Issuer::missing_unknown;
    const Authority between = make_authority("Test CA, second floor", of_other ? &other : &ca,
                                             identity.issuer != Issuer::no_ca);
    const Authority* issuer = &between;
    if (identity.issuer == Issuer::known_root) {
        issuer = &ca;
    } else if (identity.issuer == Issuer::unknown_root) {
        issuer = &other;
    } else if (identity.issuer == Issuer::itself) {
        issuer = nullptr;
    }
    const bool send_between =
        identity.issuer == Issuer::intermediate || identity.issuer == Issuer::no_ca;
    const Owned<EVP_PKEY> key = make_key(identity.rsa_bits);
    const Owned<X509> certificate = certify(key.get(), identity, issuer, false);

    ca_file_ = (std::filesystem::temp_directory_path() / "tls-server-XXXXXX").string();
    const int file = ::mkstemp(ca_file_.data());
    FILE* const stream = ::fdopen(file, "w");
    PEM_write_X509(stream, ca.certificate.get());
    std::fclose(stream);

    context_->tls.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX* const tls = context_->tls.get();
    // Old versions of TLS are for level 0 only.
    SSL_CTX_set_security_level(tls, 0);
    SSL_CTX_set_min_proto_version(tls, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(tls, identity.max_version);
    if (SSL_CTX_use_certificate(tls, certificate.get()) != 1 ||
        SSL_CTX_use_PrivateKey(tls, key.get()) != 1 ||
        (send_between && SSL_CTX_add1_chain_cert(tls, between.certificate.get()) != 1) ||
        (identity.ciphers != nullptr && SSL_CTX_set_cipher_list(tls, identity.ciphers) != 1)) {
        throw std::runtime_error("SSL_CTX_use_certificate");
    }
    use_group(tls, identity);

    thread_ = std::thread([this, reply = std::move(reply), say_goodbye, requests] {
        run(reply, say_goodbye, requests);
    });
}

TlsServer::~TlsServer() {
    listener_.stop();
    join();
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
    const int socket = listener_.accept();
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
