// What an HTTP status other than 200 means. Pure.
#pragma once

#include "core/copernica/api.hpp"

namespace mirror::copernica {

/// `in_own_form`: the body is an error as the API words it, {"error":{"message":"…"}}. Only then is
/// a refusal the API's: a firewall or a gateway in between refuses for reasons of its own, which
/// pass.
inline ErrorKind kind_of_status(int status, bool is_identity, bool in_own_form) {
    if (status == 429 || status == 408 || status == 425 || status >= 500) {
        return ErrorKind::try_again;
    }
    if (status < 400) {
        return ErrorKind::invalid_response;
    }
    if (!in_own_form) {
        return ErrorKind::try_again;
    }
    return status == 401 || status == 403 || (status == 400 && is_identity)
               ? ErrorKind::token_refused
               : ErrorKind::request_refused;
}

}  // namespace mirror::copernica
