#include "daemon/config/open_rules_file.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "core/time/text.hpp"
#include "daemon/config/config_value.hpp"
#include "daemon/config/packaged_open_rules.hpp"
#include "daemon/config/toml_file.hpp"

namespace mirror::daemon {
namespace {

constexpr std::string_view list_name = "rules";

// A text that says something.
std::string some_text(const ConfigValue& value) {
    const char* const wanted = "a text that is not empty";
    std::string text = value.text(wanted);
    if (text.empty()) {
        value.refuse(wanted);
    }
    return text;
}

std::string day(const ConfigValue& value) {
    const std::optional<LocalTime> time = value.time();
    if (!time) {
        return {};
    }
    if (std::chrono::floor<std::chrono::days>(*time) != *time) {
        value.refuse("a day, such as 2021-09-20, without a time of day");
    }
    return format_day(*time);
}

using Keys = std::map<std::string, std::function<void(OpenRule&, const ConfigValue&)>, std::less<>>;

const Keys& keys() {
    static const Keys all{
        {"rule", [](OpenRule& r, const ConfigValue& v) { r.name = some_text(v); }},
        {"kind", [](OpenRule& r, const ConfigValue& v) { r.kind = v.one_of(open_kinds()); }},
        {"field", [](OpenRule& r, const ConfigValue& v) { r.field = v.one_of(agent_fields()); }},
        {"form", [](OpenRule& r, const ConfigValue& v) { r.form = v.one_of(match_forms()); }},
        {"pattern", [](OpenRule& r, const ConfigValue& v) { r.pattern = some_text(v); }},
        {"valid_from", [](OpenRule& r, const ConfigValue& v) { r.valid_from = day(v); }},
        {"valid_to", [](OpenRule& r, const ConfigValue& v) { r.valid_to = day(v); }},
        {"source", [](OpenRule& r, const ConfigValue& v) { r.source = some_text(v); }},
        {"enabled", [](OpenRule& r, const ConfigValue& v) { r.enabled = v.yes_or_no(); }},
    };
    return all;
}

constexpr const char* required[] = {"rule", "kind", "form", "pattern", "source"};

// How people find it: by its name, or by its place if it has none.
std::string title_of(const toml::table& table, std::size_t place) {
    const auto name = table["rule"].value<std::string>();
    return name ? fmt::format("rule \"{}\"", *name) : fmt::format("rule {}", place);
}

OpenRule read_rule(const std::filesystem::path& file, const toml::node& node, std::size_t place) {
    const auto line = node.source().begin.line;
    const toml::table* const table = node.as_table();
    if (table == nullptr) {
        throw config_error(file, line, fmt::format("rule {} must be a table", place));
    }
    const std::string title = title_of(*table, place);
    OpenRule rule;
    rule.field = agent_fields().front();
    for (const auto& [key, value] : *table) {
        const auto set = keys().find(key.str());
        if (set == keys().end()) {
            throw config_error(file, value.source().begin.line,
                               fmt::format("{} has no key \"{}\"", title, key.str()));
        }
        set->second(rule, ConfigValue(file, fmt::format("{}: {}", title, key.str()), value));
    }
    for (const char* const key : required) {
        if (!table->contains(key)) {
            throw config_error(file, line, fmt::format("{} needs a key \"{}\"", title, key));
        }
    }
    if (!rule.valid_to.empty() && rule.valid_from >= rule.valid_to) {
        throw config_error(file, line, fmt::format("{} ends before it begins", title));
    }
    return rule;
}

std::vector<OpenRule> rules_of(const std::filesystem::path& file, const toml::table& root) {
    std::vector<OpenRule> rules;
    for (const auto& [key, node] : root) {
        const toml::array* const list = node.as_array();
        if (key.str() != list_name || list == nullptr) {
            throw config_error(file, node.source().begin.line,
                               fmt::format("\"{}\" is unknown; each rule begins with [[{}]]",
                                           key.str(), list_name));
        }
        for (const toml::node& element : *list) {
            OpenRule rule = read_rule(file, element, rules.size() + 1);
            const bool known = std::any_of(rules.begin(), rules.end(), [&](const OpenRule& other) {
                return other.name == rule.name;
            });
            if (known) {
                throw config_error(file, element.source().begin.line,
                                   fmt::format("there is another rule \"{}\" above", rule.name));
            }
            rules.push_back(std::move(rule));
        }
    }
    return rules;
}

}  // namespace

std::vector<OpenRule> read_open_rules(const std::filesystem::path& file) {
    return rules_of(file, parse_toml_file(file, "file of rules"));
}

std::vector<OpenRule> packaged_open_rules() {
    return rules_of("open-rules.toml", toml::parse(std::string_view(packaged_open_rules_text)));
}

}  // namespace mirror::daemon
