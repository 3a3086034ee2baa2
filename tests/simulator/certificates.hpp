// Certificates for TLS tests, made at run time: none has to be kept, and none expires unawares.
#pragma once

#include <filesystem>

#include "tests/simulator/server.hpp"

namespace simulator {

/// Leaf certificates with their keys; `authority` is what a client should trust.
struct Certificates {
    std::filesystem::path authority;
    Tls good;  ///< for localhost and 127.0.0.1
    Tls wrong_host;
    Tls expired;
    Tls not_yet_valid;
    Tls self_signed;
    Tls unknown_authority;
};

/// Makes all of them, as PEM files in `directory`, which is created. Throws std::runtime_error.
Certificates make_certificates(const std::filesystem::path& directory);

}  // namespace simulator
