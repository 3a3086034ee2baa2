// What people can ask to erase by, and which records that is. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/record/row.hpp"
#include "core/record/stream.hpp"
#include "core/time/instant.hpp"
#include "core/util/ip_address.hpp"

namespace mirror::storage {

/// One thing to erase by. Several of them are alternatives: what matches any of them is erased.
struct ErasureRule {
    enum class Kind { profile, destination, ip, before };

    Kind kind = Kind::profile;
    std::int64_t id = 0;  ///< profile, destination
    IpAddress address{};  ///< ip
    LocalTime before{};   ///< before: what is older, account-local
};

/// The rule's kind as the file has it: also the column that it is about, except for "before".
std::string_view kind_of(const ErasureRule& rule);
/// Its value as the file has it.
std::string value_of(const ErasureRule& rule);
/// The inverse of both. Nothing if they are none of ours.
std::optional<ErasureRule> read_rule(std::string_view kind, const std::string& value);

/// Whether the row matches by its fields, or by one of the same name in its `extra`.
bool matches(const ErasureRule& rule, const Stream& stream, const Row& row);
bool matches_any(const std::vector<ErasureRule>& rules, const Stream& stream, const Row& row);

/// Whether JSON matches by a field, at any depth, also if its name is in capitals, or ends in "ID"
/// ("Address" for an address), or its value is a list. "before" never matches.
bool matches_json(const ErasureRule& rule, const std::string& object);

}  // namespace mirror::storage
