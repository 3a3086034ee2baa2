#include "daemon/config/config.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include "core/util/duration_text.hpp"
#include "core/util/nearest_word.hpp"
#include "daemon/config/config_value.hpp"
#include "daemon/config/open_rules_file.hpp"
#include "daemon/config/stream_choice.hpp"
#include "daemon/config/toml_file.hpp"
#include "daemon/config/trusted_file.hpp"
#include "daemon/process/usage_error.hpp"

namespace mirror::daemon {
namespace {

template <typename Target>
using KeysOf = std::map<std::string, std::function<void(Target&, const ConfigValue&)>, std::less<>>;
using Keys = KeysOf<Config>;

constexpr unsigned most_requests_per_second = 1'000'000;
constexpr unsigned most_requests_per_day = 1'000'000'000;
constexpr unsigned most_connections = 64;
constexpr Seconds least_sweep{86400};
constexpr Seconds least_keep{86400};

// More is a mistake: the mirror would stay behind for so long, or read so much at each poll.
constexpr Seconds longest_settle{86400};
constexpr Seconds longest_interval{31 * 86400};
constexpr Seconds longest_age{std::int64_t{10} * 366 * 86400};

std::vector<std::string> indexes(const ConfigValue& value) {
    return value.list("a list of columns, such as [\"mailing\"]", [](const ConfigValue& index) {
        return index.one_of(storage::optional_indexes());
    });
}

// Of [streams.NAME].
constexpr const char* streams_table = "streams";

const KeysOf<Config::StreamOptions>& stream_keys() {
    using Options = Config::StreamOptions;
    static const KeysOf<Options> all{
        {"start", [](Options& o, const ConfigValue& v) { o.start = v.time(); }},
        {"poll_interval",
         [](Options& o, const ConfigValue& v) {
             o.poll_interval = v.duration(Seconds(1), longest_interval);
         }},
        {"indexes", [](Options& o, const ConfigValue& v) { o.indexes = indexes(v); }},
    };
    return all;
}

const std::map<std::string, Keys, std::less<>>& tables() {
    static const std::map<std::string, Keys, std::less<>> all{
        {"api",
         {
             {"url", [](Config& c, const ConfigValue& v) { c.api.url = v.text("a URL, as text"); }},
             {"auth_url", [](Config& c, const ConfigValue& v) { c.api.auth_url = v.base_url(); }},
             {"token_file", [](Config& c, const ConfigValue& v) { c.api.token_file = v.path(); }},
             {"ca_file", [](Config& c, const ConfigValue& v) { c.api.ca_file = v.path(); }},
             {"proxy", [](Config& c, const ConfigValue& v) { c.api.proxy = v.proxy(); }},
             {"proxy_password_file",
              [](Config& c, const ConfigValue& v) { c.api.proxy_password_file = v.path(); }},
             {"time_zone",
              [](Config& c, const ConfigValue& v) { c.api.time_zone = v.time_zone(); }},
             {"page_size",
              [](Config& c, const ConfigValue& v) {
                  c.api.page_size = v.number(1, copernica::largest_page);
              }},
             {"connections",
              [](Config& c, const ConfigValue& v) {
                  c.api.connections = v.number(1, most_connections);
              }},
             {"requests_per_second",
              [](Config& c, const ConfigValue& v) {
                  c.api.requests_per_second = v.number(1, most_requests_per_second);
              }},
             {"requests_per_day",
              [](Config& c, const ConfigValue& v) {
                  c.api.requests_per_day = v.number(0, most_requests_per_day);
              }},
         }},
        {"mirror",
         {
             {"database",
              [](Config& c, const ConfigValue& v) {
                  c.mirror.database = v.path();
                  if (c.mirror.database.empty()) {
                      v.refuse("the path of a file");
                  }
              }},
             {"streams", [](Config& c, const ConfigValue& v) { c.mirror.streams = v.streams(); }},
             {"start", [](Config& c, const ConfigValue& v) { c.mirror.start = v.time(); }},
             {"poll_interval",
              [](Config& c, const ConfigValue& v) {
                  c.mirror.poll_interval = v.duration(Seconds(1), longest_interval);
              }},
             {"idle_poll_interval",
              [](Config& c, const ConfigValue& v) {
                  c.mirror.idle_poll_interval = v.duration(Seconds(1), longest_interval);
              }},
             {"overlap",
              [](Config& c, const ConfigValue& v) {
                  c.mirror.overlap = v.duration(Seconds(0), longest_interval);
              }},
             {"settle",
              [](Config& c, const ConfigValue& v) {
                  c.mirror.settle = v.duration(Seconds(1), longest_settle);
              }},
             {"recheck_ages",
              [](Config& c, const ConfigValue& v) {
                  c.mirror.recheck_ages = v.list(
                      "a list of durations, such as [\"15m\", \"1d\", \"7d\"]",
                      [](const ConfigValue& age) { return age.duration(Seconds(1), longest_age); });
              }},
             {"sweep",
              [](Config& c, const ConfigValue& v) {
                  c.mirror.sweep = v.duration_or_none(least_sweep, longest_age);
              }},
             {"give_up_after",
              [](Config& c, const ConfigValue& v) {
                  c.mirror.give_up_after = v.duration(Seconds(0), longest_interval);
              }},
             {"indexes", [](Config& c, const ConfigValue& v) { c.mirror.indexes = indexes(v); }},
             {"open_rules",
              [](Config& c, const ConfigValue& v) {
                  c.mirror.open_rules = v.path();
                  c.open_rules.reset();
                  if (!c.mirror.open_rules.empty()) {
                      c.open_rules = read_open_rules(c.mirror.open_rules);
                  }
              }},
         }},
        {"privacy",
         {
             {"keep",
              [](Config& c, const ConfigValue& v) {
                  c.privacy.keep = v.duration_or_none(least_keep, longest_age);
              }},
             {"ip",
              [](Config& c, const ConfigValue& v) {
                  c.privacy.kept.ip = addresses_named(v.one_of(address_choices()));
              }},
             {"useragent",
              [](Config& c, const ConfigValue& v) {
                  c.privacy.kept.useragent = user_agents_named(v.one_of(user_agent_choices()));
              }},
         }},
        {"metrics",
         {
             {"listen",
              [](Config& c, const ConfigValue& v) { c.metrics.listen = v.listen_address(); }},
         }},
        {"log",
         {
             {"level",
              [](Config& c, const ConfigValue& v) { c.log.level = v.one_of(log_levels()); }},
             {"format",
              [](Config& c, const ConfigValue& v) { c.log.format = v.one_of(log_formats()); }},
         }},
    };
    return all;
}

// Keys by the names that they had before, and the names that they have now.
const std::map<std::string, std::string, std::less<>>& old_names() {
    static const std::map<std::string, std::string, std::less<>> all{
        {"mirror.audit_ages", "recheck_ages"},  // until version 0.1
    };
    return all;
}

template <typename Map>
std::vector<std::string> keys_of(const Map& map) {
    std::vector<std::string> all;
    for (const auto& [name, _] : map) {
        all.push_back(name);
    }
    return all;
}

template <typename Map>
std::string names(const Map& map) {
    return fmt::format("{}", fmt::join(keys_of(map), ", "));
}

template <typename Map>
std::string did_you_mean(const std::string& word, const Map& map) {
    const auto nearest = nearest_word(word, keys_of(map));
    return nearest ? fmt::format(" (did you mean {}?)", *nearest) : "";
}

// The key as it is called today. One that is there under both names is an error.
std::string name_of_today(const std::filesystem::path& file, const std::string& table,
                          const std::string& written, const toml::table& keys,
                          toml::source_index line, Config& config) {
    const auto old = old_names().find(table + "." + written);
    if (old == old_names().end()) {
        return written;
    }
    if (keys.contains(old->second)) {
        throw config_error(file, line,
                           fmt::format("[{}] {} is the old name of {}, which is there, too; "
                                       "remove one of them",
                                       table, written, old->second));
    }
    config.warnings.push_back(fmt::format("{}:{}: [{}] {} is called {} now; rename it",
                                          file.string(), line, table, written, old->second));
    return old->second;
}

// Sets what a table of the file has in `target`.
template <typename Target>
void read_table(const std::filesystem::path& file, const std::string& table, const toml::node& node,
                const KeysOf<Target>& keys, Target& target, Config& config) {
    if (!node.is_table()) {
        throw config_error(file, node.source().begin.line,
                           fmt::format("[{}] must be a table", table));
    }
    for (const auto& [key_name, value] : *node.as_table()) {
        const std::string written(key_name.str());
        const auto line = value.source().begin.line;
        const std::string key = name_of_today(file, table, written, *node.as_table(), line, config);
        const auto set = keys.find(key);
        if (set == keys.end()) {
            throw config_error(file, line,
                               fmt::format("[{}] has no key \"{}\"{}; it has: {}", table, key,
                                           did_you_mean(key, keys), names(keys)));
        }
        const std::string name = fmt::format("[{}] {}", table, written);
        config.names[fmt::format("[{}] {}", table, key)] =
            fmt::format("{}:{}: {}", file.string(), line, name);
        set->second(target, ConfigValue(file, name, value));
    }
}

void read_streams(const std::filesystem::path& file, const toml::node& node, Config& config) {
    if (!node.is_table()) {
        throw config_error(file, node.source().begin.line,
                           fmt::format("[{}] must be a table", streams_table));
    }
    for (const auto& [name, options] : *node.as_table()) {
        const std::string stream(name.str());
        const std::string table = fmt::format("{}.{}", streams_table, stream);
        if (find_stream(stream) == nullptr) {
            throw config_error(file, options.source().begin.line,
                               fmt::format("[{}]: {}", table, no_such_stream(stream)));
        }
        read_table(file, table, options, stream_keys(), config.streams[stream], config);
    }
}

// A row must live until it was read for the last time: it may come late, or be completed later.
void refuse_short_keep(const Config& config) {
    const std::vector<Seconds>& ages = config.mirror.recheck_ages;
    if (!config.privacy.keep || ages.empty()) {
        return;
    }
    const Seconds last = *std::max_element(ages.begin(), ages.end());
    if (*config.privacy.keep < last) {
        throw UsageError(fmt::format(
            "{} ({}) is shorter than the last of [mirror] recheck_ages ({}): what comes late would "
            "be erased before it is read; make keep longer, or the ages shorter",
            config.name_of("[privacy] keep"), duration_text(*config.privacy.keep),
            duration_text(last)));
    }
}

}  // namespace

std::string Config::name_of(std::string_view key) const {
    const auto found = names.find(key);
    return found == names.end() ? std::string(key) : found->second;
}

Config::StreamOptions Config::of_stream(std::string_view name) const {
    const auto found = streams.find(std::string(name));
    return found == streams.end() ? StreamOptions() : found->second;
}

const std::vector<std::string>& log_levels() {
    static const std::vector<std::string> all{"trace", "debug", "info", "warning", "error"};
    return all;
}

const std::vector<std::string>& log_formats() {
    static const std::vector<std::string> all{"text", "json"};
    return all;
}

std::vector<std::string> config_keys() {
    std::vector<std::string> all;
    for (const auto& [table, keys] : tables()) {
        for (const auto& [key, _] : keys) {
            all.push_back(table + "." + key);
        }
    }
    for (const std::string& key : keys_of(stream_keys())) {
        all.push_back(fmt::format("{}.NAME.{}", streams_table, key));
    }
    return all;
}

Config read_config(const std::filesystem::path& file) {
    const toml::table root = parse_toml_file(file, "configuration file");
    Config config;
    config.untrusted = how_anybody_may_change(file);
    for (const auto& [table_name, node] : root) {
        const std::string table(table_name.str());
        if (table == streams_table) {
            read_streams(file, node, config);
            continue;
        }
        const auto keys = tables().find(table);
        if (keys == tables().end()) {
            throw config_error(
                file, node.source().begin.line,
                fmt::format("unknown table [{}]{}; known: {}, {}.NAME", table,
                            did_you_mean(table, tables()), names(tables()), streams_table));
        }
        read_table(file, table, node, keys->second, config, config);
    }
    refuse_short_keep(config);
    // If the file does not name one, the default is relative to the file, too.
    if (config.mirror.database.is_relative() && config.mirror.database.parent_path().empty()) {
        config.mirror.database = file.parent_path() / config.mirror.database;
    }
    return config;
}

}  // namespace mirror::daemon
