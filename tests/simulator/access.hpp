// Authentication of a request: which token is right, and where it may be.
#pragma once

#include <optional>
#include <string>

#include "tests/simulator/behaviour.hpp"
#include "tests/simulator/request.hpp"

namespace simulator {

/// The token of `Authorization: Bearer`; nothing without such a header.
std::optional<std::string> bearer_of(const Request& request);

/// Fills in token_right and leaked, after the path was read: versions 2 and 3 take the account's
/// token in the query. Version 4 takes what the behaviour says in the header, and nothing if the
/// query has a token.
void check_access(Request& request, const Behaviour& behaviour);

}  // namespace simulator
