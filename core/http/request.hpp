// A request, as it goes out.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace mirror::http {

struct Request {
    Request(std::string its_target, std::string program)
        : target(std::move(its_target)), agent(std::move(program)) {}

    std::string target;                 ///< path and query
    std::string agent;                  ///< names this program
    std::string authorization{};        ///< the value of `Authorization`; empty: none
    std::optional<std::string> form{};  ///< encoded; with one it is a POST, else a GET
};

/// For the wire.
std::string request_text(const Request& request, const std::string& authority);

}  // namespace mirror::http
