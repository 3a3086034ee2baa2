// A request as the simulator understood it, and the line that its log keeps of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/time/instant.hpp"

namespace simulator {

enum class Call { impressions, identity, other };

/// What is asked of the impressions.
struct Question {
    std::optional<mirror::LocalTime> begin;
    std::optional<mirror::LocalTime> end;
    std::uint64_t start = 0;
    std::uint64_t limit = 0;
    bool total = true;

    /// Whether begintime <= local <= endtime; an absent bound excludes nothing.
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
    Call call = Call::other;
    Question question;
    std::string complaint;  ///< what is wrong with the parameters; empty where nothing is
    bool token_right = false;
    mirror::Instant received_at{};  ///< by the server's clock
    std::chrono::steady_clock::time_point received_at_monotonic{};

    bool has_token() const { return parameters.contains("access_token"); }
};

struct LogEntry {
    Request request;
    unsigned status = 0;  ///< 0: no reply was sent at all
    std::uint64_t rows = 0;
    std::optional<std::uint64_t> total;
    bool faulty = false;  ///< a fault was in play
};

}  // namespace simulator
