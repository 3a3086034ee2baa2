// Everything about the simulated API that its documentation leaves open, or that varies.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/time/instant.hpp"
#include "tests/simulator/request.hpp"

namespace simulator {

/// The order of a reply's list.
enum class Order {
    by_time,
    by_time_descending,
    by_id,
    shuffled,              ///< neither by time nor by ID, but always the same
    shuffled_each_request  ///< another one for every request: pages by offset cannot be trusted
};

/// Whether a row at exactly a bound's second is returned.
enum class Bound { exclusive, inclusive };

/// What bounds are compared with.
enum class Reading {
    text,    ///< the rows' local text, as a database does that stores local time
    instant  ///< the rows' instants, after the bound was turned into one
};

/// Which pass of the autumn hour a bound names, if bounds are read as instants.
enum class Repeated { first, second };

/// What a bound in the spring hour that does not exist means.
enum class Gap {
    forward,  ///< as PHP reads it: 02:59:59 is 03:59:59
    literal   ///< itself as a text; as an instant, the one at which clocks are put forward
};

/// How numbers are written.
enum class Numbers {
    strings,
    numbers,
    today  ///< profiles as numbers, all else as strings: what the live API's page shows
};

/// What the reply's `limit` names.
enum class NamedLimit {
    in_force,
    asked,
    documented  ///< the smaller of asked and 1000: a lie if `max_page` is smaller
};

enum class Encoding {
    php,  ///< "\/" for "/", "\u" and four digits for what is not ASCII
    utf8
};

enum class Framing { content_length, chunked };

enum class Compression { when_accepted, never, always };

/// The reply's `Date`.
struct DateHeader {
    enum class Form { readable, absent, unreadable };
    Form form = Form::readable;
    mirror::Seconds skew{0};
    /// Form and skew are those of every Nth request only; the others are right.
    std::uint64_t every = 1;
};

/// What `GET identity` says.
struct Identity {
    std::string id = "34";
    std::string name = "Development";
    std::string description = "An account that exists only here";
    std::string company = "Simulator";
};

/// What a server is: the API, or the service that makes tokens for version 4 of it.
enum class Service { api, authentication };

/// What version 4 takes. Versions 2 and 3 take the account's token in the query.
struct Version4 {
    bool served = true;
    bool takes_api_token = true;  ///< the account's token itself, in `Authorization: Bearer`
    bool takes_jwt = true;
    bool draganddrop_paths = true;  ///< "draganddrop/clicks"
    bool ms_paths = true;           ///< "ms/clicks"
    unsigned refusal = 401;         ///< of a token
    bool bare_refusals = false;     ///< with 401 and nothing else, as a gateway refuses
};

/// The tokens that the authentication service makes, and that version 4 takes.
struct Jwt {
    mirror::Seconds life = std::chrono::hours(24);
    mirror::Seconds ahead{0};  ///< of the service's clock before the server's
    enum class Expiry {
        right,
        absent,  ///< it has no `exp`, and is good as long as it would be with one
        past     ///< `exp` is an hour ago, and the API judges by it
    };
    Expiry expiry = Expiry::right;
    std::size_t bytes = 0;  ///< at least so long, with an unused claim
    /// Another one, and all tokens made before are refused.
    std::string secret = "simulated-secret";
};

/// What the body of the authentication service's reply is.
enum class TokenForm { bare, json_string, token, access_token, jwt };

struct Authentication {
    Jwt jwt;
    TokenForm form = TokenForm::bare;
};

struct Behaviour {
    /// Not inline: at -O3, g++ 12 takes parts of a default argument `Behaviour behaviour = {}` for
    /// uninitialized at its end.
    Behaviour();

    Service service = Service::api;
    bool version3 = true;  ///< the token is good for versions 2 and 3
    Version4 version4;
    Authentication authentication;  ///< the same for the API and for the service
    std::string token = "simulated-token";
    Identity identity;

    Order order = Order::by_time;
    Bound begin = Bound::exclusive;
    Bound end = Bound::exclusive;
    Reading reading = Reading::text;
    Repeated repeated = Repeated::first;
    Gap gap = Gap::forward;

    std::uint64_t default_page = 100;
    std::uint64_t max_page = 1000;  ///< a larger `limit` is silently cut to it
    NamedLimit named_limit = NamedLimit::in_force;
    /// A longer period, or one without both bounds, is refused with 400.
    std::optional<mirror::Seconds> longest_period;

    Numbers numbers = Numbers::today;
    Encoding encoding = Encoding::php;
    /// Calls that the token has no right to, and the status that they are answered with.
    std::map<Call, unsigned> refused;
    bool profile_fields = true;  ///< false: an older page, without `profile` and `subprofile`
    /// Members added to every record, as JSON without braces: "\"country\":\"NL\"".
    std::string extra_members;

    Framing framing = Framing::content_length;
    std::size_t chunk_bytes = 16 * 1024;
    Compression compression = Compression::when_accepted;
    DateHeader date;

    std::chrono::microseconds latency{0};       ///< of every reply
    std::chrono::nanoseconds skip_cost{0};      ///< for each row that `start` skips
    std::chrono::nanoseconds count_cost{0};     ///< for each row counted for `total`
    std::uint64_t requests_per_second = 0;      ///< more are answered with 429; 0: no limit
    std::optional<std::string> retry_after;     ///< the `Retry-After` of those
    std::uint64_t requests_per_connection = 0;  ///< then it is closed, unannounced; 0: no limit
};

}  // namespace simulator
