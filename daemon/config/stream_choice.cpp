#include "daemon/config/stream_choice.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/util/nearest_word.hpp"

namespace mirror::daemon {

const std::vector<std::string>& stream_names() {
    static const std::vector<std::string> all = [] {
        std::vector<std::string> names;
        for (const Stream& stream : streams()) {
            names.emplace_back(stream.name);
        }
        return names;
    }();
    return all;
}

std::string no_such_stream(const std::string& name) {
    const auto nearest = nearest_word(name, stream_names());
    return fmt::format("unknown stream \"{}\"{}; known are {}", name,
                       nearest ? fmt::format(" (did you mean {}?)", *nearest) : "",
                       fmt::join(stream_names(), ", "));
}

std::vector<const Stream*> streams_named(const std::vector<std::string>& names) {
    std::vector<const Stream*> found;
    for (const Stream& stream : streams()) {
        if (std::find(names.begin(), names.end(), stream.name) != names.end()) {
            found.push_back(&stream);
        }
    }
    return found;
}

}  // namespace mirror::daemon
