// The reply that counts the events of a mailing.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "core/copernica/statistics.hpp"

namespace mirror::copernica {

/// Reads {"destinations":…,"NAME":{"total":…,"unique":…},…}: the counts of `streams`, in their
/// order, each under its stream's name. A number may be a text. What else there is does not matter.
/// Throws BadBody if it is not an object that has all of these counts, each a whole number from 0
/// on, and no more destinations than events.
std::vector<EventCount> decode_statistics(std::string_view body,
                                          std::span<const Stream* const> streams);

}  // namespace mirror::copernica
