// One small account for thousands of cases, and what must hold after each of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "tests/soak/world.hpp"

namespace mirror::faults {

/// Every Nth of all cases is tried: 1 if the environment variable FAULTS is "all", as in
/// packaging/check --full; else `usual`.
std::uint64_t stride(std::uint64_t usual);

/// A directory in memory if that can be had, so that thousands of cases take seconds.
class Directory {
  public:
    Directory();
    ~Directory();
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

/// What the file is like before the fault.
enum class Before {
    nothing,      ///< there is none: a first load
    whole,        ///< an earlier sync succeeded; rows came, changed and went since
    interrupted,  ///< an earlier sync was killed
};

inline constexpr Before all_befores[] = {Before::nothing, Before::whole, Before::interrupted};

std::string name_of(Before before);

/// The account, its mirror in a directory of its own, and a fault to come.
class Case {
  public:
    explicit Case(Before before);

    soak::World& world() { return *world_; }

    /// One run of the program that a fault may end. False if it ended in an error. Throws
    /// what must never come out.
    bool run();

    /// The file is sound and claims nothing that it does not have; one more sync makes it exact.
    /// Empty if that is so, else what is wrong.
    std::string complaint();

  private:
    Directory directory_;
    std::optional<soak::World> world_;
    std::map<std::int64_t, Instant> rows_;  // that never change
};

}  // namespace mirror::faults
