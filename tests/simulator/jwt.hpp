// JSON Web Tokens as the authentication service makes them and version 4 takes them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/time/instant.hpp"
#include "tests/simulator/behaviour.hpp"

namespace simulator {

/// A token for the account of that ID, made at `now`, signed with the secret (HS256).
std::string make_jwt(const Jwt& jwt, std::string_view account, mirror::Instant now);

enum class JwtState { none, wrong_signature, expired, good };

/// What a token is worth at `now`. `none`: it is not a JWT at all.
JwtState check_jwt(std::string_view token, const Jwt& jwt, mirror::Instant now);

}  // namespace simulator
