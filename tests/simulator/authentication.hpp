// The service that makes a JWT of the account's token.
#pragma once

#include "tests/simulator/behaviour.hpp"
#include "tests/simulator/fault.hpp"
#include "tests/simulator/request.hpp"

namespace simulator {

/// The reply to `POST /` with the form field `access_token`.
Reply authenticate(const Request& request, const Behaviour& behaviour, mirror::Instant now);

}  // namespace simulator
