// Version 4 of the API takes the account's token or a JWT made from it; which of them is
// undocumented. Which one to send, when to get another JWT, and what a refusal means. Pure.
#pragma once

#include <optional>
#include <string>

#include "core/copernica/jwt.hpp"
#include "core/time/clock.hpp"
#include "core/time/instant.hpp"

namespace mirror::copernica {

enum class TokenForm { api_token, jwt };

/// How a token was refused.
enum class Refusal {
    own_form,  ///< in the API's own form
    bare,      ///< with a 401 that something else may have said, a gateway perhaps
};

/// What a status other than 200 says of the token; nothing if it refuses the request, or is a
/// failure. `message`: of an error in the API's own form; nothing if it is none.
std::optional<Refusal> refusal_of(int status, const std::optional<std::string>& message,
                                  bool is_identity);

/// What the clocks say when a JWT arrives.
struct ClocksAtReceipt {
    std::optional<Instant> service;  ///< the `Date` of the service's reply
    std::optional<Instant> api;      ///< the API's clock; nothing while it is not known
    Instant machine{};               ///< this machine's: for want of others
};

/// For how long it is good; not positive if it has expired. Nothing if it does not say so. The
/// API judges it by its own clock, the service may have made it by another one: the shorter time
/// counts.
std::optional<Seconds> life_left(const JwtTimes& times, const ClocksAtReceipt& clocks);

enum class Freshness {
    fresh,
    due,      ///< still good, but time to get another one
    expired,  ///< not to be sent any more
};

/// `left`: when it arrived. One that had expired already, or does not say when it does, is sent
/// until it is refused: the clocks may be wrong.
Freshness freshness(std::optional<Seconds> left, std::chrono::nanoseconds age);

/// A token that was refused.
struct RefusedToken {
    TokenForm form = TokenForm::api_token;
    std::optional<TokenForm> proven;  ///< the form that the API took last in this process
    bool replaced = false;            ///< there is a newer JWT already
    bool just_made = false;           ///< the JWT was made for this call
    bool is_identity = false;
    /// With a 401 that is not in the API's own form, from a gateway perhaps.
    bool bare = false;
    /// A JWT was got for such a 401 not long ago, and nothing was accepted since.
    bool bare_lately = false;
};

enum class AfterRefusal {
    exchange,      ///< get a JWT, and send that
    send_current,  ///< another call has got one meanwhile
    give_up,       ///< it is for the caller to find out what it means
};

AfterRefusal after_refusal(const RefusedToken& token);

}  // namespace mirror::copernica
