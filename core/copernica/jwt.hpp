// What the token service of version 4 answers, and what its tokens say about themselves. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/time/instant.hpp"

namespace mirror::copernica {

/// The token in a reply of the service: the body itself, a JSON string, or the member `token`,
/// `access_token` or `jwt` of an object. Nothing if there is none that fits into a header.
std::optional<std::string> token_in_reply(std::string_view body);

/// The claims of a JWT that say when it is good; nothing for what it does not say. Its signature
/// is for the API to check.
struct JwtTimes {
    std::optional<Instant> issued;   ///< `iat`
    std::optional<Instant> expires;  ///< `exp`
};

/// Without any, if the text is not a JWT.
JwtTimes times_of_jwt(std::string_view token);

}  // namespace mirror::copernica
