// Whether a reply is plainly right: nothing less is stored, not even as an empty page. Pure.
#pragma once

#include <optional>
#include <string>

#include "core/api/api.hpp"

namespace mirror::sync {

/// Why the reply is no answer to the query, for people; nothing when it is plainly right.
/// `slack` is how far timestamps may lie outside of the asked bounds: an hour in the autumn night,
/// when a server may read a bound as either pass.
std::optional<std::string> why_not_right(const api::PageQuery& query, const Page& page,
                                         Seconds slack);

}  // namespace mirror::sync
