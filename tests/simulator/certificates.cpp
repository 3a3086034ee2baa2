#include "tests/simulator/certificates.hpp"

#include <cstdio>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace simulator {
namespace {

struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Certificate = std::unique_ptr<X509, Free>;
using File = std::unique_ptr<std::FILE, Free>;

struct Signed {
    Key key;
    Certificate certificate;
};

struct Leaf {
    std::string name;
    std::string hosts;  // as X509v3's subjectAltName is written
    long days_from;
    long days_to;
};

void check(bool fine, const char* what) {
    if (!fine) {
        throw std::runtime_error(std::string("OpenSSL cannot ") + what);
    }
}

void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const std::unique_ptr<X509_EXTENSION, Free> extension(
        X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
    check(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1,
          "extend a certificate");
}

// Signed by `issuer`, or by itself.
Signed make(const Leaf& leaf, const Signed* issuer, bool is_authority) {
    Signed made;
    made.key.reset(EVP_EC_gen("P-256"));
    made.certificate.reset(X509_new());
    check(made.key != nullptr && made.certificate != nullptr, "make a key");
    X509* certificate = made.certificate.get();
    X509* parent = issuer == nullptr ? certificate : issuer->certificate.get();

    constexpr long day = 24L * 60 * 60;
    constexpr long version_3 = 2;
    X509_set_version(certificate, version_3);
    // Clients may keep certificates by issuer and serial number: none may come twice.
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), std::random_device()());
    X509_gmtime_adj(X509_getm_notBefore(certificate), leaf.days_from * day);
    X509_gmtime_adj(X509_getm_notAfter(certificate), leaf.days_to * day);
    X509_set_pubkey(certificate, made.key.get());
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(leaf.name.c_str()), -1, -1,
                               0);
    X509_set_issuer_name(certificate, X509_get_subject_name(parent));
    if (is_authority) {
        extend(certificate, parent, NID_basic_constraints, "critical,CA:TRUE");
        extend(certificate, parent, NID_key_usage, "critical,keyCertSign,cRLSign");
    } else {
        extend(certificate, parent, NID_basic_constraints, "CA:FALSE");
        extend(certificate, parent, NID_ext_key_usage, "serverAuth");
        extend(certificate, parent, NID_subject_alt_name, leaf.hosts);
    }
    extend(certificate, parent, NID_subject_key_identifier, "hash");
    EVP_PKEY* signer = issuer == nullptr ? made.key.get() : issuer->key.get();
    check(X509_sign(certificate, signer, EVP_sha256()) != 0, "sign a certificate");
    return made;
}

File open(const std::filesystem::path& path) {
    File file(std::fopen(path.c_str(), "w"));
    if (!file) {
        throw std::runtime_error("cannot write " + path.string());
    }
    return file;
}

void write_certificate(const Signed& made, const std::filesystem::path& path) {
    check(PEM_write_X509(open(path).get(), made.certificate.get()) == 1, "write a certificate");
}

Tls write_pair(const Signed& made, const std::filesystem::path& directory,
               const std::string& name) {
    Tls tls{directory / (name + ".pem"), directory / (name + ".key")};
    write_certificate(made, tls.certificate);
    check(PEM_write_PrivateKey(open(tls.key).get(), made.key.get(), nullptr, nullptr, 0, nullptr,
                               nullptr) == 1,
          "write a key");
    std::filesystem::permissions(
        tls.key, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    return tls;
}

}  // namespace

Certificates make_certificates(const std::filesystem::path& directory) {
    std::filesystem::create_directories(directory);
    const std::string here = "DNS:localhost,IP:127.0.0.1";
    const Leaf known_name{"Simulator's authority", "", -30, 3650};
    const Leaf unknown_name{"Authority that nobody trusts", "", -30, 3650};
    const Signed known = make(known_name, nullptr, true);
    const Signed unknown = make(unknown_name, nullptr, true);

    const auto write = [&](const std::string& name, const std::string& hosts, long days_from,
                           long days_to, const Signed* issuer) {
        const Leaf leaf{"localhost", hosts, days_from, days_to};
        return write_pair(make(leaf, issuer, false), directory, name);
    };
    Certificates made;
    made.authority = directory / "authority.pem";
    write_certificate(known, made.authority);
    made.good = write("good", here, -1, 365, &known);
    made.wrong_host = write("wrong-host", "DNS:elsewhere.example", -1, 365, &known);
    made.expired = write("expired", here, -20, -10, &known);
    made.not_yet_valid = write("not-yet-valid", here, 10, 20, &known);
    made.self_signed = write("self-signed", here, -1, 365, nullptr);
    made.unknown_authority = write("unknown-authority", here, -1, 365, &unknown);
    return made;
}

}  // namespace simulator
