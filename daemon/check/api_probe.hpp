// The result of probing the API, step by step; no judgement.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/copernica/api.hpp"
#include "core/http/proxy.hpp"
#include "core/http/url.hpp"
#include "core/record/stream.hpp"
#include "core/time/clock.hpp"
#include "core/time/zone.hpp"

namespace mirror::daemon {

struct ApiProbe {
    /// In the order in which they are tried.
    enum class Stage { resolve, connect, proxy, tls, identity, rows };
    struct Failure {
        Stage stage = Stage::resolve;
        bool token_refused = false;
        std::string why;
    };

    std::string place;  ///< host and port
    int version = 3;    ///< of the API
    bool tls = true;
    std::string proxy;                            ///< host and port; empty: none
    std::vector<std::string> addresses;           ///< of the host, or of the proxy
    bool has_token = false;                       ///< without one, nothing is asked
    std::optional<copernica::Identity> identity;  ///< as far as it came
    Instant answered_at{};                        ///< this machine's clock when it did
    /// A stream that was asked for.
    struct AskedStream {
        std::string name;
        std::string why_not;  ///< the API does not serve it; empty: it does
        std::string path;     ///< where it was found: "ms/clicks", "draganddrop/clicks"
    };
    std::vector<AskedStream> streams;               ///< as far as it came
    std::optional<std::string> wrong_zone;          ///< for people
    std::optional<std::uint64_t> calls_this_month;  ///< of all programs, as the API counts them
    std::string no_calls;                           ///< why they are not known
    std::optional<Failure> failure;                 ///< the first, which ended the try
};

struct ApiProbeOptions {
    ApiProbeOptions(http::BaseUrl base_url, Zone account_zone)
        : url(std::move(base_url)), zone(std::move(account_zone)) {}

    http::BaseUrl url;
    std::optional<http::BaseUrl> auth_url;  ///< nothing: the usual
    std::optional<http::ProxyAddress> proxy;
    std::optional<http::ProxyAddress> auth_proxy;
    Zone zone;
    std::string ca_file;
    std::optional<std::string> token;
    std::vector<const Stream*> streams;  ///< at least one
};

/// Resolves, connects, does the TLS handshake; with a token, asks whose it is, for rows of
/// each stream that are later than now, and for the calls of this month.
/// Each step has a time limit of some seconds, and the first that fails ends it, except for
/// streams: each is tried. Throws std::runtime_error if the CAs cannot be read.
ApiProbe probe_api(const ApiProbeOptions& options, Clock& clock);

}  // namespace mirror::daemon
