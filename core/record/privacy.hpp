// How much is kept of addresses and user agents. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/record/stream.hpp"

namespace mirror {

/// What is kept of them; by default everything. Each enumeration goes from more to less.
struct Privacy {
    enum class Addresses : std::uint8_t {
        full,
        network,  ///< /24 of IPv4, /48 of IPv6
        none,
    };
    enum class UserAgents : std::uint8_t { full, none };

    Addresses ip = Addresses::full;
    UserAgents useragent = UserAgents::full;

    bool cuts() const { return *this != Privacy{}; }
    friend bool operator==(const Privacy&, const Privacy&) = default;
};

/// What both of them keep.
Privacy narrower(const Privacy& left, const Privacy& right);

/// The names of the enumerators, as people write them: full, network, none.
const std::vector<std::string>& address_choices();
const std::vector<std::string>& user_agent_choices();
const std::string& name_of(Privacy::Addresses kept);
const std::string& name_of(Privacy::UserAgents kept);
/// The one of this name; everything if there is none.
Privacy::Addresses addresses_named(std::string_view name);
Privacy::UserAgents user_agents_named(std::string_view name);

/// What is kept of an address. Nothing of a text that is not an address: it could be anything.
std::optional<std::string> cut_address(Privacy::Addresses kept, std::string_view text);

/// Whether something of the field's values may not be kept.
bool may_cut(const Privacy& privacy, const Field& field);

/// What is kept of a value of such a field.
std::optional<std::string> cut(const Privacy& privacy, const Field& field, std::string_view text);

/// A key of JSON in lower case and without what separates its words: `ipAddress`, `IP_Address` and
/// `ip-address` are one field.
std::string folded_key(std::string_view key);

/// A JSON value as CanonicalJson writes it, less what is not kept of its members at any depth:
/// those of which the key is "ip", "ipaddress" or "useragent", in capitals or not, and with or
/// without "_" and "-". A member of which nothing is kept goes. Nothing if it is not such JSON.
std::optional<std::string> cut_json(const Privacy& privacy, std::string_view json);

/// The same of a row's `extra`, which is absent if it has no members.
std::optional<std::string> cut_extra(const Privacy& privacy, std::string_view json);

/// Whether a text that shows the begin of some JSON may show such a member.
bool shows_personal_data(std::string_view text);

}  // namespace mirror
