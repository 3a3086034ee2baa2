// A TLS server for tests, with certificates of its own making.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "tests/support/loopback_listener.hpp"

/// What a server shows, and what it speaks.
struct TlsIdentity {
    enum class Issuer {
        known_root,       ///< the CA of ca_file()
        unknown_root,     ///< another
        itself,           ///< self-signed
        intermediate,     ///< one of the known CA's, which is sent along
        missing,          ///< the same, but it is not sent
        no_ca,            ///< the same, but it is a mere server's certificate
        missing_unknown,  ///< neither known nor sent
    };

    enum class Group {
        none,
        ffdhe2048,    ///< RFC 7919
        oakley_1024,  ///< RFC 2409, which is too small
    };

    std::string name = "DNS:localhost";  ///< "DNS:…" or "IP:…"; empty: none but `subject`
    long begins = -3600;                 ///< seconds from now
    long ends = 3600;
    Issuer issuer = Issuer::known_root;
    int max_version = 0;  ///< of TLS, OpenSSL's number; 0: any
    std::string subject = "server";
    std::string usage = "serverAuth";
    const char* digest = "SHA256";  ///< of the signature
    unsigned rsa_bits = 0;          ///< of the key; 0: it is an elliptic one
    const char* ciphers = nullptr;  ///< of TLS 1.2 and older; null: OpenSSL's
    Group group = Group::none;      ///< of ephemeral Diffie-Hellman
};

/// Answers one connection on a port of 127.0.0.1: a handshake, so many requests with the same
/// reply, and then closes, with or without saying so.
class TlsServer {
  public:
    TlsServer(const TlsIdentity& identity, std::string reply, bool say_goodbye = true,
              int requests = 1);
    ~TlsServer();
    TlsServer(const TlsServer&) = delete;
    TlsServer& operator=(const TlsServer&) = delete;

    std::uint16_t port() const { return listener_.port(); }

    /// A file with the CA's certificate; removed with the server.
    const std::string& ca_file() const { return ca_file_; }

    /// After the connection has ended: what was received under TLS, and the host name of SNI.
    const std::string& received();
    const std::string& asked_name();

  private:
    struct Context;
    void run(const std::string& reply, bool say_goodbye, int requests);
    void join();

    std::unique_ptr<Context> context_;
    std::string ca_file_;
    mirror::test::LoopbackListener listener_{16};
    std::string received_;
    std::string asked_name_;
    std::thread thread_;
};
