// A request as the simulator understood it, and the line that its log keeps of it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/time/instant.hpp"
#include "tests/simulator/streams.hpp"

namespace simulator {

/// The streams come first, in the order of StreamId.
enum class Call {
    impressions,
    clicks,
    deliveries,
    errors,
    abuses,
    unsubscribes,
    mailings,
    identity,
    statistics,   ///< of one mailing
    consumption,  ///< of the account
    token,        ///< of the authentication service
    other
};
constexpr std::size_t call_count = 12;

constexpr Call call_of(StreamId stream) {
    return static_cast<Call>(index_of(stream));
}

/// Nothing if the call is for something else than the rows of a stream.
constexpr std::optional<StreamId> stream_of(Call call) {
    return static_cast<std::size_t>(call) < stream_count
               ? std::optional(static_cast<StreamId>(call))
               : std::nullopt;
}

/// What is asked of the rows of a stream.
struct Question {
    std::optional<mirror::LocalTime> begin;
    std::optional<mirror::LocalTime> end;
    std::uint64_t start = 0;
    std::uint64_t limit = 0;
    bool total = true;

    /// Whether begin <= local <= end; an absent bound excludes nothing.
    bool contains(mirror::LocalTime local) const {
        return (!begin || *begin <= local) && (!end || local <= *end);
    }
};

struct Request {
    std::uint64_t number = 0;       ///< among all requests, from 1
    std::uint64_t call_number = 0;  ///< among the requests of the same call, from 1
    std::uint64_t connection = 0;   ///< among all connections, from 1
    std::string method;
    std::string path;
    std::map<std::string, std::string> parameters;  ///< decoded; `access_token` is among them
    std::map<std::string, std::string> headers;     ///< names in lower case
    std::map<std::string, std::string> form;        ///< decoded, of a body that is a form
    int version = 0;                                ///< of the API, by the path; 0: of none
    Call call = Call::other;
    Question question;
    std::int64_t mailing = 0;     ///< that statistics are asked of
    std::uint64_t api_calls = 0;  ///< that consumption tells of
    std::string complaint;        ///< what is wrong with the parameters; empty if nothing is
    bool token_right = false;
    bool leaked = false;            ///< a token is in the URL, and should not be
    mirror::Instant received_at{};  ///< by the server's clock
    std::chrono::steady_clock::time_point received_at_monotonic{};

    /// Any token, right or wrong, in the query, in `Authorization`, or in a form.
    bool has_token() const {
        return parameters.contains("access_token") || headers.contains("authorization") ||
               form.contains("access_token");
    }
};

struct LogEntry {
    Request request;
    unsigned status = 0;  ///< 0: no reply was sent at all
    std::uint64_t rows = 0;
    std::optional<std::uint64_t> total;
    bool faulty = false;  ///< a fault was in play
};

}  // namespace simulator
