// JSON as a mirror must keep it.
#pragma once

#include <string>
#include <string_view>

namespace simulator {

/// `json` without spaces, the members of each object ascending by name. Throws
/// boost::system::system_error if it is not JSON.
std::string canonical(std::string_view json);

}  // namespace simulator
