#include "daemon/config/config.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include "core/time/zone.hpp"
#include "core/util/printable.hpp"
#include "daemon/config/units.hpp"
#include "daemon/process/usage_error.hpp"

namespace mirror::daemon {
namespace {

// What is wrong, and where. Names out of the file come from outside as all else: on one line, and
// nothing in them moves the cursor.
UsageError wrong(const std::filesystem::path& file, toml::source_index line,
                 const std::string& what) {
    return UsageError(fmt::format("{}:{}: {}", file.string(), line, printable(what, what.size())));
}

// One key's value on its way into the struct, with the words to complain about it.
class Value {
  public:
    Value(const std::filesystem::path& file, std::string name, const toml::node& node)
        : file_(file), name_(std::move(name)), node_(node) {}

    [[noreturn]] void refuse(const std::string& wanted) const {
        throw wrong(file_, node_.source().begin.line, fmt::format("{} must be {}", name_, wanted));
    }

    std::string text(const std::string& wanted) const {
        const auto value = node_.value_exact<std::string>();
        if (!value) {
            refuse(wanted);
        }
        return *value;
    }

    std::string one_of(const std::vector<std::string>& choices) const {
        const std::string wanted = fmt::format("one of \"{}\"", fmt::join(choices, "\", \""));
        std::string value = text(wanted);
        if (std::find(choices.begin(), choices.end(), value) == choices.end()) {
            refuse(wanted);
        }
        return value;
    }

    unsigned number(unsigned least, unsigned most) const {
        const auto value = node_.value_exact<std::int64_t>();
        if (!value || *value < least || *value > most) {
            refuse(fmt::format("a whole number from {} to {}", least, most));
        }
        return static_cast<unsigned>(*value);
    }

    Seconds duration(Seconds least) const {
        const std::string wanted =
            fmt::format("a duration such as \"90s\", \"15m\", \"1h\" or \"7d\", at least \"{}\"",
                        format_duration(least));
        const auto value = parse_duration(text(wanted));
        if (!value || *value < least) {
            refuse(wanted);
        }
        return *value;
    }

    std::optional<Seconds> duration_or_none(Seconds least) const {
        const std::string wanted =
            fmt::format("a duration such as \"90d\", at least \"{}\", or \"\" for never",
                        format_duration(least));
        const std::string value = text(wanted);
        if (value.empty()) {
            return std::nullopt;
        }
        const auto parsed = parse_duration(value);
        if (!parsed || *parsed < least) {
            refuse(wanted);
        }
        return parsed;
    }

    std::string time_zone() const {
        const std::string wanted =
            "a time zone's name that this system knows, such as \"Europe/Amsterdam\"";
        std::string name = text(wanted);
        try {
            const Zone zone(name);
        } catch (const UnknownZone&) {
            refuse(wanted);
        }
        return name;
    }

    std::filesystem::path path() const {
        const std::filesystem::path value = text("a path, as text");
        return value.empty() ? value : file_.parent_path() / value;
    }

    std::optional<ListenAddress> listen_address() const {
        const std::string wanted =
            "an address and a port, such as \"127.0.0.1:9743\" or \"[::1]:9743\", or \"\" for none";
        const std::string value = text(wanted);
        if (value.empty()) {
            return std::nullopt;
        }
        const auto parsed = parse_listen_address(value);
        if (!parsed) {
            refuse(wanted);
        }
        return parsed;
    }

    template <typename Read>
    auto list(const std::string& wanted, Read read) const {
        std::vector<std::invoke_result_t<Read, Value>> values;
        const toml::array* const array = node_.as_array();
        if (array == nullptr) {
            refuse(wanted);
        }
        for (const toml::node& element : *array) {
            values.push_back(read(Value(file_, "each of " + name_, element)));
        }
        return values;
    }

    std::optional<LocalTime> time() const {
        const std::string wanted =
            "a local date or time, as text (\"2016-01-01\", \"2016-01-01 12:00:00\") or as TOML";
        if (const auto date = node_.value_exact<toml::date>()) {
            return at(*date, toml::time{});
        }
        if (const auto both = node_.value_exact<toml::date_time>()) {
            if (both->offset) {
                refuse(wanted + ", without an offset: it is in the account's zone");
            }
            return at(both->date, both->time);
        }
        const std::string value = text(wanted);
        if (value.empty()) {
            return std::nullopt;
        }
        const auto parsed = parse_time(value);
        if (!parsed) {
            refuse(wanted);
        }
        return parsed;
    }

  private:
    static LocalTime at(const toml::date& day, const toml::time& time) {
        return std::chrono::local_days(std::chrono::year(day.year) / day.month / day.day) +
               std::chrono::hours(time.hour) + std::chrono::minutes(time.minute) +
               Seconds(time.second);
    }

    const std::filesystem::path& file_;
    std::string name_;
    const toml::node& node_;
};

using Keys = std::map<std::string, std::function<void(Config&, const Value&)>, std::less<>>;

constexpr unsigned most_requests_per_second = 1'000'000;
constexpr unsigned most_connections = 64;
constexpr Seconds least_sweep{86400};

const std::map<std::string, Keys, std::less<>>& tables() {
    static const std::map<std::string, Keys, std::less<>> all{
        {"api",
         {
             {"url", [](Config& c, const Value& v) { c.api.url = v.text("a URL, as text"); }},
             {"token_file", [](Config& c, const Value& v) { c.api.token_file = v.path(); }},
             {"ca_file", [](Config& c, const Value& v) { c.api.ca_file = v.path(); }},
             {"time_zone", [](Config& c, const Value& v) { c.api.time_zone = v.time_zone(); }},
             {"page_size",
              [](Config& c, const Value& v) {
                  c.api.page_size = v.number(1, copernica::largest_page);
              }},
             {"connections",
              [](Config& c, const Value& v) { c.api.connections = v.number(1, most_connections); }},
             {"requests_per_second",
              [](Config& c, const Value& v) {
                  c.api.requests_per_second = v.number(1, most_requests_per_second);
              }},
         }},
        {"mirror",
         {
             {"database",
              [](Config& c, const Value& v) {
                  c.mirror.database = v.path();
                  if (c.mirror.database.empty()) {
                      v.refuse("the path of a file");
                  }
              }},
             {"start", [](Config& c, const Value& v) { c.mirror.start = v.time(); }},
             {"poll_interval",
              [](Config& c, const Value& v) { c.mirror.poll_interval = v.duration(Seconds(1)); }},
             {"overlap",
              [](Config& c, const Value& v) { c.mirror.overlap = v.duration(Seconds(0)); }},
             {"settle",
              [](Config& c, const Value& v) { c.mirror.settle = v.duration(Seconds(1)); }},
             {"recheck_ages",
              [](Config& c, const Value& v) {
                  c.mirror.recheck_ages =
                      v.list("a list of durations, such as [\"15m\", \"1d\", \"7d\"]",
                             [](const Value& age) { return age.duration(Seconds(1)); });
              }},
             {"sweep",
              [](Config& c, const Value& v) { c.mirror.sweep = v.duration_or_none(least_sweep); }},
             {"give_up_after",
              [](Config& c, const Value& v) { c.mirror.give_up_after = v.duration(Seconds(0)); }},
             {"indexes",
              [](Config& c, const Value& v) {
                  c.mirror.indexes = v.list(
                      "a list of columns, such as [\"mailing\"]",
                      [](const Value& index) { return index.one_of(storage::optional_indexes()); });
              }},
         }},
        {"metrics",
         {
             {"listen", [](Config& c, const Value& v) { c.metrics.listen = v.listen_address(); }},
         }},
        {"log",
         {
             {"level", [](Config& c, const Value& v) { c.log.level = v.one_of(log_levels()); }},
             {"format", [](Config& c, const Value& v) { c.log.format = v.one_of(log_formats()); }},
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

toml::table parse(const std::filesystem::path& file) {
    // toml++ reports a directory, or a file without permission, as a parse error at line 0.
    try {
        return toml::parse_file(file.string());
    } catch (const toml::parse_error& error) {
        if (error.source().begin.line == 0) {
            throw UsageError(
                fmt::format("{}: cannot be read; does it exist, and may this user "
                            "read it?",
                            file.string()));
        }
        throw wrong(file, error.source().begin.line, std::string(error.description()));
    }
}

template <typename Map>
std::string names(const Map& map) {
    std::vector<std::string> all;
    for (const auto& [name, _] : map) {
        all.push_back(name);
    }
    return fmt::format("{}", fmt::join(all, ", "));
}

}  // namespace

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
    return all;
}

Config read_config(const std::filesystem::path& file) {
    const toml::table root = parse(file);
    Config config;
    for (const auto& [table_name, node] : root) {
        const std::string table(table_name.str());
        const auto line = node.source().begin.line;
        const auto keys = tables().find(table);
        if (keys == tables().end()) {
            throw wrong(file, line,
                        fmt::format("there is no [{}]; there are: {}", table, names(tables())));
        }
        if (!node.is_table()) {
            throw wrong(file, line, fmt::format("[{}] must be a table", table));
        }
        for (const auto& [key_name, value] : *node.as_table()) {
            const std::string written(key_name.str());
            std::string key = written;
            if (const auto old = old_names().find(table + "." + key); old != old_names().end()) {
                key = old->second;
                const auto at = value.source().begin.line;
                if (node.as_table()->contains(key)) {
                    throw wrong(file, at,
                                fmt::format("[{}] {} is the old name of {}, which is there, too; "
                                            "remove one of them",
                                            table, written, key));
                }
                config.warnings.push_back(fmt::format("{}:{}: [{}] {} is called {} now; rename it",
                                                      file.string(), at, table, written, key));
            }
            const auto set = keys->second.find(key);
            if (set == keys->second.end()) {
                throw wrong(file, value.source().begin.line,
                            fmt::format("[{}] has no key \"{}\"; it has: {}", table, key,
                                        names(keys->second)));
            }
            set->second(config, Value(file, fmt::format("[{}] {}", table, written), value));
        }
    }
    // Where the file does not name one, the default is relative to the file as well.
    if (config.mirror.database.is_relative() && config.mirror.database.parent_path().empty()) {
        config.mirror.database = file.parent_path() / config.mirror.database;
    }
    return config;
}

}  // namespace mirror::daemon
