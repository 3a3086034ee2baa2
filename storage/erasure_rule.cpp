#include "storage/erasure_rule.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json.hpp>

#include "core/record/privacy.hpp"
#include "core/time/text.hpp"
#include "core/util/decimal.hpp"

namespace mirror::storage {
namespace {

using Kind = ErasureRule::Kind;

constexpr std::array<std::pair<Kind, std::string_view>, 4> kinds{
    {{Kind::profile, "profile"},
     {Kind::destination, "destination"},
     {Kind::ip, "ip"},
     {Kind::before, "before"}}};

// Deeper than replies are nested.
constexpr std::size_t most_levels = 200;

bool same_address(const ErasureRule& rule, std::string_view text) {
    return read_ip_address(text) == rule.address;
}

bool same_id(const ErasureRule& rule, std::string_view text) {
    const std::size_t digits = std::min(text.find_first_not_of('0'), text.size());
    return read_decimal<std::int64_t>(text.substr(digits)) == rule.id;
}

bool matches_value(const ErasureRule& rule, const boost::json::value& value) {
    if (value.is_array()) {
        const boost::json::array& all = value.get_array();
        return std::any_of(all.begin(), all.end(), [&](const boost::json::value& element) {
            return matches_value(rule, element);
        });
    }
    if (value.is_string()) {
        const std::string_view text = value.get_string();
        return rule.kind == Kind::ip ? same_address(rule, text) : same_id(rule, text);
    }
    if (rule.kind == Kind::ip) {
        return false;
    }
    if (value.is_double()) {
        return value.get_double() == static_cast<double>(rule.id);
    }
    return value.is_int64() && value.get_int64() == rule.id;
}

bool is_named(const ErasureRule& rule, std::string_view key) {
    const std::string name = folded_key(key);
    const std::string_view kind = kind_of(rule);
    return name == kind || name == std::string(kind) + (rule.kind == Kind::ip ? "address" : "id");
}

// The field at any depth and in any spelling, as `[privacy]` finds what it cuts.
bool matches_within(const ErasureRule& rule, const boost::json::value& value) {
    if (value.is_array()) {
        const boost::json::array& all = value.get_array();
        return std::any_of(all.begin(), all.end(), [&](const boost::json::value& element) {
            return matches_within(rule, element);
        });
    }
    if (!value.is_object()) {
        return false;
    }
    const boost::json::object& object = value.get_object();
    return std::any_of(
        object.begin(), object.end(), [&](const boost::json::key_value_pair& member) {
            return (is_named(rule, member.key()) && matches_value(rule, member.value())) ||
                   matches_within(rule, member.value());
        });
}

bool matches_field(const ErasureRule& rule, const Field& field, const Row& row) {
    if (rule.kind == Kind::ip) {
        return row.texts[field.slot] && same_address(rule, *row.texts[field.slot]);
    }
    return row.integers[field.slot] == rule.id;
}

}  // namespace

std::string_view kind_of(const ErasureRule& rule) {
    return std::find_if(kinds.begin(), kinds.end(),
                        [&](const auto& kind) { return kind.first == rule.kind; })
        ->second;
}

std::string value_of(const ErasureRule& rule) {
    switch (rule.kind) {
        case Kind::ip:
            return format_ip_address(rule.address);
        case Kind::before:
            return format_local(rule.before);
        case Kind::profile:
        case Kind::destination:
            break;
    }
    return std::to_string(rule.id);
}

std::optional<ErasureRule> read_rule(std::string_view kind, const std::string& value) {
    const auto known = std::find_if(kinds.begin(), kinds.end(),
                                    [&](const auto& each) { return each.second == kind; });
    if (known == kinds.end()) {
        return std::nullopt;
    }
    ErasureRule rule;
    rule.kind = known->first;
    if (rule.kind == Kind::ip) {
        const auto address = read_ip_address(value);
        rule.address = address.value_or(IpAddress{});
        return address ? std::optional(rule) : std::nullopt;
    }
    if (rule.kind == Kind::before) {
        const auto before = parse_local(value);
        rule.before = before.value_or(LocalTime{});
        return before ? std::optional(rule) : std::nullopt;
    }
    const auto id = read_decimal<std::int64_t>(value);
    rule.id = id.value_or(0);
    return rule.id > 0 ? std::optional(rule) : std::nullopt;
}

bool matches(const ErasureRule& rule, const Stream& stream, const Row& row) {
    if (rule.kind == Kind::before) {
        return row.time < rule.before;
    }
    for (const Field& field : stream.fields) {
        if (field.column == kind_of(rule) && matches_field(rule, field, row)) {
            return true;
        }
    }
    return row.extra && matches_json(rule, std::string(*row.extra));
}

bool matches_any(const std::vector<ErasureRule>& rules, const Stream& stream, const Row& row) {
    return std::any_of(rules.begin(), rules.end(),
                       [&](const ErasureRule& rule) { return matches(rule, stream, row); });
}

bool matches_json(const ErasureRule& rule, const std::string& object) {
    if (rule.kind == Kind::before) {
        return false;
    }
    boost::json::error_code failure;
    boost::json::parse_options options;
    options.max_depth = most_levels;
    const boost::json::value parsed = boost::json::parse(object, failure, {}, options);
    return !failure && matches_within(rule, parsed);
}

}  // namespace mirror::storage
