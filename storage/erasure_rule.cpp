#include "storage/erasure_rule.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json.hpp>

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

bool same_address(const ErasureRule& rule, std::string_view text) {
    return read_ip_address(text) == rule.address;
}

bool matches_value(const ErasureRule& rule, const boost::json::value& value) {
    if (value.is_string()) {
        const std::string_view text = value.get_string();
        return rule.kind == Kind::ip ? same_address(rule, text)
                                     : read_decimal<std::int64_t>(text) == rule.id;
    }
    if (rule.kind == Kind::ip) {
        return false;
    }
    if (value.is_double()) {
        return value.get_double() == static_cast<double>(rule.id);
    }
    return value.is_int64() && value.get_int64() == rule.id;
}

bool matches_object(const ErasureRule& rule, const boost::json::object& object) {
    const boost::json::value* const value = object.if_contains(kind_of(rule));
    if (value != nullptr && matches_value(rule, *value)) {
        return true;
    }
    const boost::json::value* const extra = object.if_contains("extra");
    return extra != nullptr && extra->is_object() && matches_object(rule, extra->get_object());
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
    const boost::json::value parsed = boost::json::parse(object, failure);
    return !failure && parsed.is_object() && matches_object(rule, parsed.get_object());
}

}  // namespace mirror::storage
