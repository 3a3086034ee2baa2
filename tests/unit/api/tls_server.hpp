// A TLS server for tests, with certificates of its own making.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

/// What a server shows.
struct TlsIdentity {
    std::string name = "DNS:localhost";  ///< "DNS:…" or "IP:…"
    long begins = -3600;                 ///< seconds from now
    long ends = 3600;
    bool known_root = true;  ///< signed by the CA of ca_file()
    int max_version = 0;     ///< of TLS, OpenSSL's number; 0: any
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

    std::uint16_t port() const { return port_; }

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
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::string received_;
    std::string asked_name_;
    std::thread thread_;
};
