#include "daemon/config/config_value.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/http/proxy.hpp"
#include "core/http/url.hpp"
#include "core/time/zone.hpp"
#include "core/util/printable.hpp"
#include "daemon/config/stream_choice.hpp"
#include "daemon/config/units.hpp"

namespace mirror::daemon {
namespace {

LocalTime at(const toml::date& day, const toml::time& time) {
    return std::chrono::local_days(std::chrono::year(day.year) / day.month / day.day) +
           std::chrono::hours(time.hour) + std::chrono::minutes(time.minute) + Seconds(time.second);
}

}  // namespace

UsageError config_error(const std::filesystem::path& file, toml::source_index line,
                        const std::string& what) {
    return UsageError(fmt::format("{}:{}: {}", file.string(), line, printable(what, what.size())));
}

void ConfigValue::refuse(const std::string& wanted) const {
    throw config_error(file_, node_.source().begin.line,
                       fmt::format("{} must be {}", name_, wanted));
}

std::string ConfigValue::text(const std::string& wanted) const {
    const auto value = node_.value_exact<std::string>();
    if (!value) {
        refuse(wanted);
    }
    return *value;
}

std::string ConfigValue::one_of(const std::vector<std::string>& choices) const {
    const std::string wanted = fmt::format("one of \"{}\"", fmt::join(choices, "\", \""));
    std::string value = text(wanted);
    if (std::find(choices.begin(), choices.end(), value) == choices.end()) {
        refuse(wanted);
    }
    return value;
}

std::string ConfigValue::base_url() const {
    std::string value = text("a URL, as text");
    try {
        http::parse_base_url(value);
    } catch (const std::invalid_argument& error) {
        throw config_error(file_, node_.source().begin.line,
                           fmt::format("{}: {}", name_, error.what()));
    }
    return value;
}

std::string ConfigValue::proxy() const {
    std::string value =
        text("\"\", \"none\", or the URL of a proxy such as \"http://proxy.example.com:3128\"");
    if (value.empty() || value == "none") {
        return value;
    }
    try {
        http::parse_proxy(value);
    } catch (const std::invalid_argument& error) {
        throw config_error(file_, node_.source().begin.line,
                           fmt::format("{}: {}", name_, error.what()));
    }
    return value;
}

unsigned ConfigValue::number(unsigned least, unsigned most) const {
    const auto value = node_.value_exact<std::int64_t>();
    if (!value || *value < least || *value > most) {
        refuse(fmt::format("a whole number from {} to {}", least, most));
    }
    return static_cast<unsigned>(*value);
}

Seconds ConfigValue::duration(Seconds least, Seconds most) const {
    const std::string wanted =
        fmt::format("a duration such as \"90s\", \"15m\", \"1h\" or \"7d\", from \"{}\" to \"{}\"",
                    format_duration(least), format_duration(most));
    const auto value = parse_duration(text(wanted));
    if (!value || *value < least || *value > most) {
        refuse(wanted);
    }
    return *value;
}

std::optional<Seconds> ConfigValue::duration_or_none(Seconds least, Seconds most) const {
    const std::string wanted =
        fmt::format("a duration such as \"90d\", from \"{}\" to \"{}\", or \"\" for never",
                    format_duration(least), format_duration(most));
    const std::string value = text(wanted);
    if (value.empty()) {
        return std::nullopt;
    }
    const auto parsed = parse_duration(value);
    if (!parsed || *parsed < least || *parsed > most) {
        refuse(wanted);
    }
    return parsed;
}

std::string ConfigValue::time_zone() const {
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

std::vector<std::string> ConfigValue::streams() const {
    const std::string wanted =
        fmt::format("\"all\", or a list of streams, such as [\"{}\"]", stream_names().front());
    if (node_.is_string()) {
        if (text(wanted) != "all") {
            refuse(wanted);
        }
        return stream_names();
    }
    std::vector<std::string> names = list(wanted, [this](const ConfigValue& element) {
        std::string name = element.text("the name of a stream, as text");
        if (find_stream(name) == nullptr) {
            const std::string why = name == "all"
                                        ? "write \"all\" without a list: streams = \"all\""
                                        : no_such_stream(name);
            throw config_error(file_, element.node_.source().begin.line,
                               fmt::format("{}: {}", name_, why));
        }
        return name;
    });
    if (names.empty()) {
        refuse(wanted + ", not an empty one");
    }
    return names;
}

std::filesystem::path ConfigValue::path() const {
    const std::filesystem::path value = text("a path, as text");
    return value.empty() ? value : file_.parent_path() / value;
}

std::optional<ListenAddress> ConfigValue::listen_address() const {
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

bool ConfigValue::yes_or_no() const {
    const auto value = node_.value_exact<bool>();
    if (!value) {
        refuse("true or false");
    }
    return *value;
}

std::optional<LocalTime> ConfigValue::time() const {
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

}  // namespace mirror::daemon
