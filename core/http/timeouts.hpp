// How long the parts of a request may take.
#pragma once

#include <chrono>

namespace mirror::http {

/// How long things may take.
struct Timeouts {
    std::chrono::milliseconds address = std::chrono::seconds(3);  ///< to connect to one address
    /// Until the next address is tried beside it.
    std::chrono::milliseconds next_address = std::chrono::milliseconds(250);
    std::chrono::milliseconds connect = std::chrono::seconds(10);  ///< resolving to TLS, in all
    std::chrono::milliseconds silence = std::chrono::seconds(30);  ///< without a byte
    std::chrono::milliseconds request = std::chrono::minutes(5);   ///< from request to last byte
    std::chrono::milliseconds rest = std::chrono::seconds(5);      ///< unused, until we close it
};

}  // namespace mirror::http
