// Where the calls of a stream are: below "ms" or below "draganddrop". Which of them an account
// answers is undocumented.
#pragma once

#include <map>
#include <optional>
#include <string_view>

#include "core/record/stream.hpp"

namespace mirror::copernica {

enum class PathFamily { ms, draganddrop };

/// "ms", "draganddrop".
std::string_view name_of(PathFamily family);
std::optional<PathFamily> path_family(std::string_view name);

/// The path of its call below one of them.
std::string_view path_of(const Stream& stream, PathFamily family);

constexpr PathFamily other(PathFamily family) {
    return family == PathFamily::ms ? PathFamily::draganddrop : PathFamily::ms;
}

/// What is known of it in this process. A token may have no right to a stream, which looks as if
/// the path was wrong: so what is found holds for that stream, and is a first guess for others.
class PathChoice {
  public:
    explicit PathChoice(int version)
        : guess_(version == 4 ? PathFamily::draganddrop : PathFamily::ms) {}

    /// Which one to try first.
    PathFamily first(const Stream& stream) const;
    /// Nothing while it is not known.
    std::optional<PathFamily> known(const Stream& stream) const;
    /// It was answered, by this process or by an earlier one.
    void answered(const Stream& stream, PathFamily family);

  private:
    PathFamily guess_;
    std::map<const Stream*, PathFamily> known_;
};

}  // namespace mirror::copernica
