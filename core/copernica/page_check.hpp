// Whether a reply is plainly right: nothing less is stored, not even as an empty page. Pure.
#pragma once

#include <optional>
#include <string>

#include "core/copernica/page.hpp"
#include "core/copernica/page_query.hpp"

namespace mirror::copernica {

/// Why the reply is not an answer to the query, for people; nothing when it is plainly right.
/// `slack` is how far timestamps may lie outside of the asked bounds: an hour in the autumn night,
/// when a server may read a bound as either pass.
std::optional<std::string> why_invalid(const PageQuery& query, const Page& page, Seconds slack);

/// Why one such reply is not enough, for people: more of its records are unusable than a few, or
/// one of them stands in it twice, as an ID with one time may.
std::optional<std::string> why_doubtful(const Page& page);

/// Whether both pages have the same unusable records, in any order.
bool same_unusable(const Page& a, const Page& b);

}  // namespace mirror::copernica
