// Lives through seeds, one after another; a seed that fails prints the line that repeats it.
#include <csignal>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <iostream>
#include <string>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tests/soak/life.hpp"
#include "tests/support/fault_table.hpp"

namespace {

volatile std::sig_atomic_t stopped = 0;

void stop(int) {
    stopped = 1;
}

// In memory if that can be had: the disk that fails is ours.
std::filesystem::path working_directory() {
    const std::filesystem::path memory = "/dev/shm";
    const auto base = std::filesystem::is_directory(memory) && ::access(memory.c_str(), W_OK) == 0
                          ? memory
                          : std::filesystem::temp_directory_path();
    return base / fmt::format("copernica-mirror-soak-{}", ::getpid());
}

struct Totals {
    std::uint64_t lived = 0;
    std::uint64_t failed = 0;
    mirror::soak::LifeCounts counts;
};

void live(std::uint64_t seed, const std::string& program, bool tell, Totals& totals) {
    const auto directory = working_directory();
    std::filesystem::remove_all(directory);
    std::filesystem::create_directory(directory);
    ++totals.lived;
    try {
        std::function<void(const std::string&)> teller;
        if (tell) {
            teller = [](const std::string& line) { std::cout << line << '\n'; };
        }
        const auto counts = mirror::soak::live(seed, directory, teller);
        totals.counts.sessions += counts.sessions;
        totals.counts.kills += counts.kills;
        totals.counts.power_cuts += counts.power_cuts;
        totals.counts.disk_errors += counts.disk_errors;
        totals.counts.requests += counts.requests;
    } catch (const std::exception& error) {
        ++totals.failed;
        std::cout << fmt::format("seed {}: {}\n  again: {} --from {} --seeds 1\n", seed,
                                 error.what(), program, seed)
                  << std::flush;
    }
    std::filesystem::remove_all(directory);
}

}  // namespace

int main(int argc, char** argv) {
    std::uint64_t from = 1;
    std::uint64_t seeds = 500;
    CLI::App options("A mirror's life among faults, once for each seed, on virtual time.");
    options.add_option("--from", from, "the first seed")->capture_default_str();
    options.add_option("--seeds", seeds, "how many; 0: until interrupted")->capture_default_str();
    bool tell = false;
    options.add_flag("--verbose", tell, "print all that happens");
    CLI11_PARSE(options, argc, argv);
    std::signal(SIGINT, stop);
    std::signal(SIGTERM, stop);

    mirror::test::FaultClass table("soak", "seeds of random faults");
    Totals totals;
    for (std::uint64_t i = 0; (seeds == 0 || i < seeds) && stopped == 0; ++i) {
        table.begin();
        const std::uint64_t failed_before = totals.failed;
        live(from + i, argv[0], tell, totals);
        if (totals.failed == failed_before) {
            table.passed();
        }
    }
    std::cout << fmt::format(
        "{} seeds: {} sessions, {} kills, {} power cuts, {} disk errors, {} requests\n",
        totals.lived, totals.counts.sessions, totals.counts.kills, totals.counts.power_cuts,
        totals.counts.disk_errors, totals.counts.requests);
    // As doctest says it: packaging/check counts this line.
    std::cout << fmt::format("[doctest] test cases: {} | {} passed | {} failed | 0 skipped\n",
                             totals.lived, totals.lived - totals.failed, totals.failed);
    return totals.failed == 0 ? 0 : 1;
}
