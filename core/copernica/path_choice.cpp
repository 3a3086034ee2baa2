#include "core/copernica/path_choice.hpp"

namespace mirror::copernica {

std::string_view name_of(PathFamily family) {
    return family == PathFamily::ms ? "ms" : "draganddrop";
}

std::optional<PathFamily> path_family(std::string_view name) {
    for (const PathFamily family : {PathFamily::ms, PathFamily::draganddrop}) {
        if (name == name_of(family)) {
            return family;
        }
    }
    return std::nullopt;
}

std::string_view path_of(const Stream& stream, PathFamily family) {
    return family == PathFamily::ms ? stream.path : stream.newer_path;
}

PathFamily PathChoice::first(const Stream& stream) const {
    return known(stream).value_or(guess_);
}

std::optional<PathFamily> PathChoice::known(const Stream& stream) const {
    const auto found = known_.find(&stream);
    return found == known_.end() ? std::nullopt : std::optional(found->second);
}

void PathChoice::answered(const Stream& stream, PathFamily family) {
    guess_ = family;
    known_[&stream] = family;
}

}  // namespace mirror::copernica
