// The configuration: one struct, its defaults in its declaration, read once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/time/instant.hpp"
#include "daemon/config/listen_address.hpp"

namespace mirror::daemon {

struct Config {
    struct Api {
        std::string url = "https://api.copernica.com/v3";
        std::filesystem::path token_file;  ///< empty: look elsewhere
        std::filesystem::path ca_file;     ///< empty: the system's CAs
        std::string time_zone = "Europe/Amsterdam";
        std::uint32_t page_size = 1000;
        unsigned connections = 4;
        unsigned requests_per_second = 10;
    };
    struct Mirror {
        std::filesystem::path database = "impressions.db";
        std::optional<LocalTime> start;  ///< account-local; nothing: everything
        Seconds poll_interval{60};
        Seconds overlap{120};
        Seconds settle{5};
        std::vector<Seconds> recheck_ages{Seconds(900), Seconds(86400), Seconds(604800)};
        Seconds give_up_after{900};
        std::vector<std::string> indexes{"mailing"};
    };
    struct Metrics {
        std::optional<ListenAddress> listen;  ///< nothing: off
    };
    struct Log {
        std::string level = "info";
        std::string format = "text";
    };

    Api api;
    Mirror mirror;
    Metrics metrics;
    Log log;
    /// What was accepted and should be changed, for people: a key's old name, say.
    std::vector<std::string> warnings;
};

/// What --log-level and --log-format take.
const std::vector<std::string>& log_levels();
const std::vector<std::string>& log_formats();

/// "api.url" and all other keys, sorted.
std::vector<std::string> config_keys();

/// Reads a TOML file. Relative paths in it are relative to it. Throws UsageError, naming file,
/// line and key, for anything that is not understood: nothing is guessed.
Config read_config(const std::filesystem::path& file);

}  // namespace mirror::daemon
