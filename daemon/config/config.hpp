// The configuration: one struct, read at the start and at SIGHUP. The defaults are those of the
// libraries that it configures.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/copernica/defaults.hpp"
#include "core/record/open_rules.hpp"
#include "core/record/privacy.hpp"
#include "core/record/stream.hpp"
#include "core/sync/defaults.hpp"
#include "core/time/instant.hpp"
#include "daemon/config/listen_address.hpp"
#include "storage/index_catalogue.hpp"

namespace mirror::daemon {

struct Config {
    /// [streams.NAME]: what differs from [mirror] for one stream.
    struct StreamOptions {
        std::optional<LocalTime> start;
        std::optional<Seconds> poll_interval;
        std::optional<std::vector<std::string>> indexes;
        friend bool operator==(const StreamOptions&, const StreamOptions&) = default;
    };
    struct Api {
        std::string url = "https://api.copernica.com/v3";
        /// Of the service that makes tokens for version 4.
        std::string auth_url = "https://authenticate.copernica.com/";
        std::filesystem::path token_file;  ///< empty: look elsewhere
        std::filesystem::path ca_file;     ///< empty: the system's CAs
        /// Empty: what the environment says; "none"; or the URL of a proxy, perhaps with a
        /// password.
        std::string proxy;
        std::filesystem::path proxy_password_file;  ///< empty: look elsewhere
        std::string time_zone = "Europe/Amsterdam";
        std::uint32_t page_size = copernica::defaults::page_size;
        unsigned connections = copernica::defaults::connections;
        unsigned requests_per_second = copernica::defaults::requests_per_second;
        unsigned requests_per_day = 0;  ///< 0: no limit
    };
    struct Mirror {
        std::filesystem::path database = "impressions.db";
        /// Names of streams that there are, at least one.
        std::vector<std::string> streams{std::string(mirror::streams().front().name)};
        std::optional<LocalTime> start;  ///< account-local; nothing: everything
        Seconds poll_interval = sync::defaults::poll_interval;
        std::optional<Seconds> idle_poll_interval;  ///< nothing: as poll_interval
        Seconds overlap = sync::defaults::overlap;
        Seconds settle = copernica::defaults::settle;
        std::vector<Seconds> recheck_ages = sync::defaults::recheck_ages();
        std::optional<Seconds> sweep = sync::defaults::sweep;  ///< nothing: off
        Seconds give_up_after = copernica::defaults::give_up_after;
        std::vector<std::string> indexes = storage::default_indexes();
        std::filesystem::path open_rules;  ///< empty: those that the program has in it
    };
    struct Privacy {
        std::optional<Seconds> keep;  ///< nothing: for ever
        mirror::Privacy kept;         ///< of addresses and user agents
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
    std::map<std::string, StreamOptions> streams;  ///< by the stream's name
    Privacy privacy;
    Metrics metrics;
    Log log;
    /// What [mirror] open_rules names; nothing: packaged_open_rules().
    std::optional<std::vector<OpenRule>> open_rules;
    /// How messages name the keys that were set, by key: see name_of().
    std::map<std::string, std::string, std::less<>> names;
    /// What was accepted and should be changed, for people: a key's old name, say.
    std::vector<std::string> warnings;
    /// How everybody on this machine could change the file, and so where the token goes; nothing if
    /// they cannot.
    std::optional<std::string> untrusted;

    /// A key such as "[api] url" for a message: after the file and the line that set it, or as the
    /// option of the command line that did.
    std::string name_of(std::string_view key) const;

    /// What differs for that stream; nothing set if nothing does.
    StreamOptions of_stream(std::string_view name) const;
};

/// What --log-level and --log-format take.
const std::vector<std::string>& log_levels();
const std::vector<std::string>& log_formats();

/// "api.url" and all other keys; of a stream, "streams.NAME.start".
std::vector<std::string> config_keys();

/// Reads a TOML file. Relative paths in it are relative to it. Throws UsageError, naming file,
/// line and key, for anything that is not understood: nothing is guessed.
Config read_config(const std::filesystem::path& file);

}  // namespace mirror::daemon
