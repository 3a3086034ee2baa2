// From a request to a reply: what the API says, without a socket in sight.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "tests/simulator/account.hpp"
#include "tests/simulator/behaviour.hpp"
#include "tests/simulator/fault.hpp"
#include "tests/simulator/request.hpp"

namespace simulator {

/// Fills in version, call, question, complaint, token_right and leaked from the other members.
void understand(Request& request, const Behaviour& behaviour);

struct Answer {
    Reply reply;
    std::uint64_t rows = 0;
    std::optional<std::uint64_t> total;  ///< as sent
    std::chrono::nanoseconds cost{0};    ///< of skipping and counting
};

/// What the API replies at `now`; a fault's delay, `bytes` and delivery are the sender's to do.
Answer answer(const Request& request, const Account& account, const Behaviour& behaviour,
              const std::optional<Fault>& fault, mirror::Instant now);

}  // namespace simulator
