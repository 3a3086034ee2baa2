// One seed: a mirror's life among faults, and what must be true after it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace mirror::soak {

struct LifeCounts {
    std::uint64_t sessions = 0;
    std::uint64_t kills = 0;
    std::uint64_t power_cuts = 0;
    std::uint64_t disk_errors = 0;
    std::uint64_t requests = 0;
};

/// Lives it in `directory`, which is empty. The same seed always takes the same course. `tell`,
/// if it is not empty, is called with each thing that happens. Throws Broken, or whatever came
/// out that should not have.
LifeCounts live(std::uint64_t seed, const std::filesystem::path& directory,
                const std::function<void(const std::string&)>& tell = {});

}  // namespace mirror::soak
