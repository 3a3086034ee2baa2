// What the API counts itself: of a mailing, and of the account.
#pragma once

#include <optional>
#include <string>

#include "tests/simulator/account.hpp"
#include "tests/simulator/behaviour.hpp"
#include "tests/simulator/request.hpp"

namespace simulator {

/// The reply of `GET ms/emailing/ID/statistics`, of the rows that the API shows at `now` within
/// the request's period, whose bounds are read as those of pages are. Nothing if no stream has the
/// mailing.
std::optional<std::string> statistics_body(const Account& account, const Request& request,
                                           const Behaviour& behaviour, mirror::Instant now);

/// The reply of `GET consumption`: mails sent within the request's period, and API calls.
std::string consumption_body(const Account& account, const Request& request, mirror::Instant now);

}  // namespace simulator
