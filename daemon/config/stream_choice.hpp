// Streams by the names that people give them. Pure.
#pragma once

#include <string>
#include <vector>

#include "core/record/stream.hpp"

namespace mirror::daemon {

/// The names of all streams, in their order.
const std::vector<std::string>& stream_names();

/// For people: "unknown stream \"opens\"; known are impressions, clicks, …".
std::string no_such_stream(const std::string& name);

/// The streams of these names, which are known: each once, in the order of all streams.
std::vector<const Stream*> streams_named(const std::vector<std::string>& names);

}  // namespace mirror::daemon
