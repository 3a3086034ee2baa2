#include "daemon/check/check_api.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/copernica/machine_clock.hpp"
#include "core/util/duration_text.hpp"

namespace mirror::daemon {
namespace {

using Stage = ApiProbe::Stage;

const char* advice_for(Stage stage) {
    switch (stage) {
        case Stage::resolve:
            return "check [api] url, and this machine's name servers (/etc/resolv.conf)";
        case Stage::connect:
            return "check the network, and that a firewall lets this machine out";
        case Stage::proxy:
            return "check [api] proxy and proxy_password_file, or $HTTPS_PROXY; with \"none\", the "
                   "API is reached without one";
        case Stage::tls:
            return "check this machine's clock, the package ca-certificates and [api] ca_file; a "
                   "proxy that opens TLS needs its authority in ca_file";
        case Stage::identity:
        case Stage::rows:
            return "check [api] url; if it is right, wait: `run` tries again by itself";
    }
    return "";
}

const char* name_of(Stage stage) {
    switch (stage) {
        case Stage::resolve:
            return "resolve";
        case Stage::connect:
            return "connect";
        case Stage::proxy:
            return "proxy";
        case Stage::tls:
            return "tls";
        case Stage::identity:
            return "identity";
        case Stage::rows:
            return "time_zone";
    }
    return "";
}

Finding failed(const ApiProbe::Failure& failure) {
    if (failure.token_refused) {
        return found_fail(name_of(failure.stage), ExitCode::token, failure.why,
                          "make a new token in the Copernica dashboard, and put it where the line "
                          "`token` says");
    }
    return found_fail(name_of(failure.stage), ExitCode::api, failure.why,
                      advice_for(failure.stage));
}

// What this machine connects to.
std::string nearest(const ApiProbe& probe) {
    return probe.proxy.empty() ? probe.place : "the proxy " + probe.proxy;
}

Finding passed(const ApiProbe& probe, Stage stage) {
    switch (stage) {
        case Stage::resolve:
            return found_ok(name_of(stage), fmt::format("{} is {}", nearest(probe),
                                                        fmt::join(probe.addresses, ", ")));
        case Stage::connect:
            return found_ok(name_of(stage), nearest(probe) + " answers");
        case Stage::proxy:
            return found_ok(name_of(stage),
                            probe.proxy.empty()
                                ? "none"
                                : fmt::format("{} leads to {}", probe.proxy, probe.place));
        case Stage::tls:
            return found_ok(name_of(stage), probe.tls ? "the certificate is right"
                                                      : "not needed: plain HTTP to this machine");
        case Stage::identity:
            return found_ok(name_of(stage),
                            fmt::format("the token is that of {} ({}); version {} of the API",
                                        probe.identity->name, probe.identity->id, probe.version));
        case Stage::rows:
            break;
    }
    if (probe.wrong_zone) {
        return found_fail(name_of(stage), ExitCode::usage, *probe.wrong_zone,
                          "put the account's zone into [api] time_zone");
    }
    return found_ok(name_of(stage), "the newest rows fit it");
}

Finding judge_clock(const ApiProbe& probe) {
    if (!probe.identity) {
        return not_checked("clock", "the API did not say the time");
    }
    if (!probe.identity->date) {
        return found_fail("clock", ExitCode::api,
                          "the API's reply carries no Date that can be read",
                          "is there a proxy in between that takes it away? Without it nothing can "
                          "be proved complete");
    }
    const Seconds ahead = probe.answered_at - *probe.identity->date;
    if (const auto why = copernica::why_machine_clock_is_off(ahead)) {
        return found_warn("clock", *why, copernica::machine_clock_advice);
    }
    const Seconds within = std::max(Seconds(1), std::chrono::abs(ahead));  // replies have no less
    return found_ok("clock",
                    fmt::format("this machine's is within {} of the API's", duration_text(within)));
}

// A token has rights for each call.
Finding judge_streams(const ApiProbe& probe) {
    constexpr const char* name = "streams";
    if (probe.failure) {
        return not_checked(name, fmt::format("`{}` failed", name_of(probe.failure->stage)));
    }
    if (!probe.has_token) {
        return not_checked(name, "no token");
    }
    std::vector<std::string> served;
    std::vector<std::string> refused;
    std::string why;
    for (const ApiProbe::AskedStream& stream : probe.streams) {
        if (stream.why_not.empty()) {
            served.push_back(stream.path.empty()
                                 ? stream.name
                                 : fmt::format("{} at {}", stream.name, stream.path));
        } else {
            refused.push_back(stream.name);
        }
        if (why.empty()) {
            why = stream.why_not;
        }
    }
    if (refused.empty()) {
        return found_ok(name, fmt::format("the API serves {}", fmt::join(served, ", ")));
    }
    return found_fail(name, ExitCode::api,
                      fmt::format("the API does not serve {}: {}", fmt::join(refused, ", "), why),
                      fmt::format("give the token the right to read {}, or take them out of "
                                  "[mirror] streams",
                                  fmt::join(refused, ", ")));
}

// It is nobody's fault if this is not known.
Finding judge_calls(const ApiProbe& probe) {
    if (probe.failure) {
        return not_checked("requests", fmt::format("`{}` failed", name_of(probe.failure->stage)));
    }
    if (!probe.has_token) {
        return not_checked("requests", "no token");
    }
    if (probe.calls_this_month) {
        return found_ok("requests", fmt::format("{} API calls of all programs this month",
                                                *probe.calls_this_month));
    }
    return found_ok("requests",
                    fmt::format("the API's count of this month is not known: {}", probe.no_calls));
}

}  // namespace

const std::vector<std::string>& api_checks() {
    static const std::vector<std::string> all{"resolve",   "connect",  "proxy",
                                              "tls",       "identity", "clock",
                                              "time_zone", "streams",  "requests"};
    return all;
}

Findings judge_api(const ApiProbe& probe) {
    Findings findings;
    for (const Stage stage :
         {Stage::resolve, Stage::connect, Stage::proxy, Stage::tls, Stage::identity, Stage::rows}) {
        if (stage == Stage::rows) {
            findings.push_back(judge_clock(probe));
        }
        if (probe.failure && stage == probe.failure->stage) {
            findings.push_back(failed(*probe.failure));
        } else if (probe.failure && stage > probe.failure->stage) {
            findings.push_back(not_checked(
                name_of(stage), fmt::format("`{}` failed", name_of(probe.failure->stage))));
        } else if (stage >= Stage::identity && !probe.has_token) {
            findings.push_back(not_checked(name_of(stage), "no token"));
        } else {
            findings.push_back(passed(probe, stage));
        }
    }
    findings.push_back(judge_streams(probe));
    findings.push_back(judge_calls(probe));
    return findings;
}

}  // namespace mirror::daemon
