// HttpApi over TLS: the server is verified before anything is sent to it.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include "tests/support/fault_table.hpp"
#include "tests/unit/http/hello_server.hpp"
#include "tests/unit/http/http_client.hpp"
#include "tests/unit/http/scripted_server.hpp"
#include "tests/unit/http/tls_server.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace mirror::http;
using namespace mirror::test;
namespace asio = boost::asio;

TEST_CASE("what answers a TLS handshake with something else") {
    // The client's greeting, which is not a request, is never answered, or cut off.
    ScriptedServer server({Script{{}}, Script{{}, Script::End::reset}});
    for (int i = 0; i < 2; ++i) {
        check_error(get_page(HttpOptions(
                        parse_base_url("https://127.0.0.1:" + std::to_string(server.port())),
                        Secret(token))),
                    ErrorKind::try_again, "");
    }
}

namespace {

// A call to that server, as `host`.
HttpOptions options_for(const std::string& host, TlsServer& server) {
    HttpOptions options(parse_base_url("https://" + host + ":" + std::to_string(server.port())),
                        Secret(token));
    options.ca_file = server.ca_file();
    return options;
}

struct Refused {
    const char* fault;  // its class
    TlsIdentity identity;
    const char* why;
    std::string host = "localhost";
};

TlsIdentity with(const std::function<void(TlsIdentity&)>& edit) {
    TlsIdentity identity;
    edit(identity);
    return identity;
}

// Not a byte of HTTP was sent, and the error says `why`.
void check_refused(const Refused& row, ErrorKind kind, const std::string& why) {
    CAPTURE(std::string(row.fault));
    CAPTURE(row.identity.name);
    FaultClass fault("tls", row.fault);
    fault.begin();
    TlsServer server(row.identity, good());
    const bool refused = check_error(get_page(options_for(row.host, server)), kind, why);
    CHECK(server.received().empty());
    if (refused && server.received().empty()) {
        fault.passed();
    }
}

}  // namespace

TEST_CASE("TLS: who can be trusted is talked to") {
    using Issuer = TlsIdentity::Issuer;
    const std::vector<std::pair<std::string, TlsIdentity>> rows{
        {"localhost", {}},
        {"127.0.0.1", with([](TlsIdentity& id) { id.name = "IP:127.0.0.1"; })},
        {"localhost", with([](TlsIdentity& id) { id.max_version = TLS1_2_VERSION; })},
        {"localhost", with([](TlsIdentity& id) { id.issuer = Issuer::intermediate; })},
        {"localhost", with([](TlsIdentity& id) { id.rsa_bits = 2048; })},
        {"localhost", with([](TlsIdentity& id) {
             id.rsa_bits = 2048;
             id.max_version = TLS1_2_VERSION;
             id.ciphers = "DHE-RSA-AES128-GCM-SHA256";
             id.group = TlsIdentity::Group::ffdhe2048;
         })},
    };
    for (const auto& row : rows) {
        const auto& host = row.first;
        const auto& identity = row.second;
        CAPTURE(host);
        TlsServer server(identity, good());
        const Outcome outcome = get_page(options_for(host, server));
        REQUIRE_MESSAGE(outcome.page.has_value(),
                        std::string(outcome.error ? outcome.error->what() : ""));
        CHECK(outcome.page->page.rows.size() == 1);
        CHECK(server.received().find("CANARY") != std::string::npos);
        CHECK(server.asked_name() == (host == "localhost" ? "localhost" : ""));
    }
}

TEST_CASE("TLS: a wrong certificate is refused before a byte of HTTP") {
    using Issuer = TlsIdentity::Issuer;
    const auto named = [](const char* name) {
        return with([name](TlsIdentity& id) { id.name = name; });
    };
    const auto issued = [](Issuer issuer) {
        return with([issuer](TlsIdentity& id) { id.issuer = issuer; });
    };
    const auto valid = [](long begins, long ends) {
        return with([=](TlsIdentity& id) {
            id.begins = begins;
            id.ends = ends;
        });
    };
    const char* const unknown = "unable to get local issuer certificate";
    const Refused rows[] = {
        {"wrong host", named("DNS:other.example"), "hostname mismatch"},
        {"wrong host", named("DNS:*"), "hostname mismatch"},
        {"wrong host", named("DNS:localhost.example"), "hostname mismatch"},
        {"wrong host", named("DNS:localhost"), "IP address mismatch", "127.0.0.1"},
        {"wrong host", named("DNS:127.0.0.1"), "IP address mismatch", "127.0.0.1"},
        {"the name in the subject alone", with([](TlsIdentity& id) {
             id.name.clear();
             id.subject = "localhost";
         }),
         "hostname mismatch"},
        {"expired", valid(-7200, -3600), "certificate has expired"},
        {"not yet valid", valid(3600, 7200), "certificate is not yet valid"},
        {"unknown root", issued(Issuer::unknown_root), unknown},
        {"self-signed", issued(Issuer::itself), "self-signed certificate"},
        {"incomplete chain", issued(Issuer::missing), unknown},
        {"incomplete chain", issued(Issuer::missing_unknown), unknown},
        {"an issuer that is not a CA", issued(Issuer::no_ca), "invalid CA certificate"},
        {"a certificate for another use", with([](TlsIdentity& id) { id.usage = "clientAuth"; }),
         "unsuitable certificate purpose"},
        {"SHA-1 leaf", with([](TlsIdentity& id) { id.digest = "SHA1"; }),
         "CA signature digest algorithm too weak"},
        {"RSA key of 1024 bits", with([](TlsIdentity& id) { id.rsa_bits = 1024; }),
         "EE certificate key too weak"},
    };
    for (const Refused& row : rows) {
        check_refused(row, ErrorKind::unusable,
                      "was refused before the token was sent: " + std::string(row.why));
    }
}

TEST_CASE("TLS: old versions and weak ciphers are refused before a byte of HTTP") {
    const auto version = [](int most) {
        return with([most](TlsIdentity& id) { id.max_version = most; });
    };
    const auto suite = [](const char* name, unsigned rsa_bits = 2048) {
        return with([=](TlsIdentity& id) {
            id.max_version = TLS1_2_VERSION;
            id.ciphers = name;
            id.rsa_bits = rsa_bits;
        });
    };
    // OpenSSL serves no smaller group, at any security level: refused there is refused here.
    TlsIdentity weak_group = suite("DHE-RSA-AES128-GCM-SHA256");
    weak_group.group = TlsIdentity::Group::oakley_1024;
    const Refused rows[] = {
        {"TLS 1.0", version(TLS1_VERSION), ""},
        {"TLS 1.1", version(TLS1_1_VERSION), ""},
        {"NULL", suite("NULL-SHA256:@SECLEVEL=0"), ""},
        {"NULL", suite("ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0", 0), ""},
        {"nobody's certificate", suite("ADH-AES128-GCM-SHA256:@SECLEVEL=0"), ""},
        {"nobody's certificate", suite("AECDH-AES128-SHA:@SECLEVEL=0"), ""},
        {"weak DH", weak_group, "dh key too small"},
    };
    for (const Refused& row : rows) {
        check_refused(row, ErrorKind::try_again, "TLS handshake failed: " + std::string(row.why));
    }
}

TEST_CASE("TLS: what OpenSSL cannot serve any more is refused, too") {
    // Debian builds OpenSSL without RC4, 3DES and SSL 3 in TLS, at any security level. A server
    // that has them need not be served to be refused: its greeting chooses them.
    struct Row {
        const char* fault;
        std::uint16_t version;
        std::uint16_t cipher;
        const char* why;
    };
    const Row rows[] = {
        {"RC4", 0x0303, 0x0005, "cipher returned"},             // RSA_WITH_RC4_128_SHA
        {"RC4", 0x0303, 0x0004, "cipher returned"},             // RSA_WITH_RC4_128_MD5
        {"RC4", 0x0303, 0xc011, "cipher returned"},             // ECDHE_RSA_WITH_RC4_128_SHA
        {"3DES", 0x0303, 0x000a, "cipher returned"},            // RSA_WITH_3DES_EDE_CBC_SHA
        {"3DES", 0x0303, 0xc012, "cipher returned"},            // ECDHE_RSA_WITH_3DES_EDE_CBC_SHA
        {"NULL", 0x0303, 0x0000, "cipher returned"},            // NULL_WITH_NULL_NULL
        {"NULL", 0x0303, 0xc006, "cipher returned"},            // ECDHE_ECDSA_WITH_NULL_SHA
        {"export ciphers", 0x0303, 0x0003, "cipher returned"},  // RSA_EXPORT_WITH_RC4_40_MD5
        {"TLS 1.0", 0x0301, 0xc013, "unsupported protocol"},
        {"TLS 1.1", 0x0302, 0xc013, "unsupported protocol"},
        {"SSL 3", 0x0300, 0x0005, ""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.cipher);
        CAPTURE(row.version);
        FaultClass fault("tls", row.fault);
        fault.begin();
        HelloServer server(row.version, row.cipher);
        const bool refused =
            check_error(get_page(HttpOptions(
                            parse_base_url("https://localhost:" + std::to_string(server.port())),
                            Secret(token))),
                        ErrorKind::try_again, row.why);
        const bool weak = row.version == 0x0303;
        const auto& offered = server.offered();
        const bool not_offered =
            !weak || std::find(offered.begin(), offered.end(), row.cipher) == offered.end();
        // At the most an alert.
        const auto& records = server.records();
        const bool silent =
            std::all_of(records.begin(), records.end(), [](unsigned kind) { return kind == 21; });
        CHECK(offered.size() > 3);
        CHECK(not_offered);
        CHECK(silent);
        if (refused && not_offered && silent && offered.size() > 3) {
            fault.passed();
        }
    }
    // A suite that is fine gets further: it is not the greeting's form that is refused above.
    HelloServer server(0x0303, 0xc02f);  // ECDHE_RSA_WITH_AES_128_GCM_SHA256
    check_error(
        get_page(HttpOptions(parse_base_url("https://localhost:" + std::to_string(server.port())),
                             Secret(token))),
        ErrorKind::try_again, "TLS connection cut off");
}

TEST_CASE("TLS: connections are kept") {
    // The server answers one connection only.
    TlsServer server(TlsIdentity(), good(), true, 3);
    HttpOptions options(parse_base_url("https://localhost:" + std::to_string(server.port())),
                        Secret(token));
    options.ca_file = server.ca_file();
    asio::io_context io;
    HttpApi api(std::move(options));
    for (int i = 0; i < 3; ++i) {
        Outcome outcome;
        start_page(io, api, outcome);
        while (!outcome.page && !outcome.error) {
            io.run_one();
        }
        CHECK(outcome.page.has_value());
    }
    api.close();
    io.run();
    CHECK(api.requests() == 3);
}

TEST_CASE("TLS: a cut connection does not end a reply") {
    FaultClass fault("server", "TLS closed in the middle");
    for (const bool goodbye : {false, true}) {
        fault.begin();
        TlsServer server(TlsIdentity(), good().substr(0, good().size() - 1), goodbye);
        if (check_error(get_page(options_for("localhost", server)), ErrorKind::try_again,
                        goodbye ? "connection closed by the server while reading the reply"
                                : "TLS connection cut off while reading the reply")) {
            fault.passed();
        }
    }
}

TEST_CASE("CAs that cannot be read are named") {
    HttpOptions options(parse_base_url("https://localhost/"), Secret(token));
    options.ca_file = "/no/such/file.pem";
    CHECK_THROWS_WITH_AS(HttpApi{options}, doctest::Contains("/no/such/file.pem"),
                         std::runtime_error);
}
