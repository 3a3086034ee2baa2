// Requests as a server with the right token understands them, and the time of their answer.
#pragma once

#include <map>
#include <string>

#include "tests/simulator/behaviour.hpp"
#include "tests/simulator/request.hpp"
#include "tests/support/times.hpp"

namespace simulator::tests {

inline const mirror::Instant now = mirror::tests::utc("2026-11-01 00:00:00");

/// A GET with these parameters and the token.
Request request(const Behaviour& behaviour, std::map<std::string, std::string> parameters,
                const std::string& path = "/v3/ms/impressions");

}  // namespace simulator::tests
