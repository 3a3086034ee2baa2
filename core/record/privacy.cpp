#include "core/record/privacy.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "core/util/canonical_json.hpp"
#include "core/util/ip_address.hpp"

namespace mirror {
namespace {

// Replies are not nested so deeply (copernica::PageLimits); a file that somebody has changed may
// be.
constexpr int most_levels = 200;

// Bytes of an IpAddress that name its network.
constexpr std::size_t bytes_of_48 = 6;
constexpr std::size_t bytes_of_mapped_24 = 15;
// An address of 6to4 (2002::/16) has an IPv4 address behind its first two bytes.
constexpr std::size_t bytes_of_6to4_24 = 5;

std::size_t network_bytes(const IpAddress& address) {
    if (is_mapped(address)) {
        return bytes_of_mapped_24;
    }
    return address[0] == 0x20 && address[1] == 0x02 ? bytes_of_6to4_24 : bytes_of_48;
}

constexpr std::array<std::string_view, 3> personal_keys{"ip", "ipaddress", "useragent"};

PersonalData kind_of_key(std::string_view key) {
    const std::string name = folded_key(key);
    if (std::find(personal_keys.begin(), personal_keys.end(), name) == personal_keys.end()) {
        return PersonalData::none;
    }
    return name == "useragent" ? PersonalData::user_agent : PersonalData::address;
}

bool is_cut(const Privacy& privacy, PersonalData kind) {
    switch (kind) {
        case PersonalData::none:
            return false;
        case PersonalData::address:
            return privacy.ip != Privacy::Addresses::full;
        case PersonalData::user_agent:
            return privacy.useragent != Privacy::UserAgents::full;
    }
    return true;
}

// Copies JSON that has no spaces between its tokens, value by value. Each function is called where
// something of its kind begins, and is false if it does not end.
class JsonCutter {
  public:
    JsonCutter(const Privacy& privacy, std::string_view json) : privacy_(privacy), json_(json) {}

    std::optional<std::string> cut() {
        return value(0) && at_ == json_.size() ? std::optional(result_) : std::nullopt;
    }

  private:
    bool value(int level) {
        if (at_ >= json_.size() || level > most_levels) {
            return false;
        }
        switch (json_[at_]) {
            case '{':
                return all('}', [&] { return member(level); });
            case '[':
                return all(']', [&] { return separated() && value(level + 1); });
            case '"':
                return text();
            default:
                return word();
        }
    }

    // What stands between a bracket and the one that ends it.
    template <typename Each>
    bool all(char end, const Each& each) {
        result_ += json_[at_++];
        begun_ = result_.size();
        while (at_ < json_.size() && json_[at_] != end) {
            const std::size_t begun = begun_;
            if (!each()) {
                return false;
            }
            begun_ = begun;
            if (at_ < json_.size() && json_[at_] == ',') {
                ++at_;
            } else if (at_ >= json_.size() || json_[at_] != end) {
                return false;
            }
        }
        if (at_ >= json_.size()) {
            return false;
        }
        result_ += json_[at_++];
        return true;
    }

    // A comma, unless this is the first that is kept.
    bool separated() {
        if (result_.size() > begun_) {
            result_ += ',';
        }
        return true;
    }

    bool member(int level) {
        const std::size_t before = result_.size();
        const std::size_t key_at = at_;
        if (!separated() || json_[at_] != '"' || !text() || at_ >= json_.size() ||
            json_[at_] != ':') {
            return false;
        }
        const PersonalData kind = kind_of_key(json_.substr(key_at + 1, at_ - key_at - 2));
        result_ += json_[at_++];
        const std::size_t value_at = at_;
        const std::size_t result_at = result_.size();
        if (!value(level + 1)) {
            return false;
        }
        if (is_cut(privacy_, kind)) {
            const auto kept = kept_of(kind, json_.substr(value_at, at_ - value_at));
            result_.resize(kept ? result_at : before);
            if (kept) {
                append_json_string(result_, *kept);
            }
        }
        return true;
    }

    std::optional<std::string> kept_of(PersonalData kind, std::string_view json) const {
        // No address has anything that must be escaped.
        return kind == PersonalData::address && json.starts_with('"')
                   ? cut_address(privacy_.ip, json.substr(1, json.size() - 2))
                   : std::nullopt;
    }

    bool text() {
        std::size_t end = at_ + 1;
        while (end < json_.size() && json_[end] != '"') {
            end += json_[end] == '\\' ? 2 : 1;
        }
        return take(end + 1);
    }

    // A number, true, false or null.
    bool word() {
        const std::size_t begin = at_;
        return take(std::min(json_.find_first_of(",]}", at_), json_.size())) &&
               json_.substr(begin, at_ - begin).find_first_of("\"{[: \n\r\t") ==
                   std::string_view::npos;
    }

    bool take(std::size_t end) {
        if (end > json_.size() || end == at_) {
            return false;
        }
        result_ += json_.substr(at_, end - at_);
        at_ = end;
        return true;
    }

    const Privacy& privacy_;
    std::string_view json_;
    std::size_t at_ = 0;
    std::string result_;
    std::size_t begun_ = 0;  // where the innermost object or array has its first element
};

template <typename Enumeration>
Enumeration named(const std::vector<std::string>& names, std::string_view name) {
    const auto found = std::find(names.begin(), names.end(), name);
    return found == names.end() ? Enumeration::full
                                : static_cast<Enumeration>(found - names.begin());
}

}  // namespace

std::string folded_key(std::string_view key) {
    std::string result;
    for (const char c : key) {
        if (c != '_' && c != '-') {
            result += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        }
    }
    return result;
}

Privacy narrower(const Privacy& left, const Privacy& right) {
    return {std::max(left.ip, right.ip), std::max(left.useragent, right.useragent)};
}

const std::vector<std::string>& address_choices() {
    static const std::vector<std::string> all{"full", "network", "none"};
    return all;
}

const std::vector<std::string>& user_agent_choices() {
    static const std::vector<std::string> all{"full", "none"};
    return all;
}

const std::string& name_of(Privacy::Addresses kept) {
    return address_choices()[static_cast<std::size_t>(kept)];
}

const std::string& name_of(Privacy::UserAgents kept) {
    return user_agent_choices()[static_cast<std::size_t>(kept)];
}

Privacy::Addresses addresses_named(std::string_view name) {
    return named<Privacy::Addresses>(address_choices(), name);
}

Privacy::UserAgents user_agents_named(std::string_view name) {
    return named<Privacy::UserAgents>(user_agent_choices(), name);
}

std::optional<std::string> cut_address(Privacy::Addresses kept, std::string_view text) {
    if (kept == Privacy::Addresses::full) {
        return std::string(text);
    }
    std::optional<IpAddress> address = read_ip_address(text);
    if (kept == Privacy::Addresses::none || !address) {
        return std::nullopt;
    }
    std::fill(address->begin() + static_cast<std::ptrdiff_t>(network_bytes(*address)),
              address->end(), static_cast<unsigned char>(0));
    return format_ip_address(*address);
}

bool may_cut(const Privacy& privacy, const Field& field) {
    return is_cut(privacy, field.personal) || (field.kind == FieldKind::json && privacy.cuts());
}

std::optional<std::string> cut(const Privacy& privacy, const Field& field, std::string_view text) {
    switch (field.personal) {
        case PersonalData::address:
            return cut_address(privacy.ip, text);
        case PersonalData::user_agent:
            return privacy.useragent == Privacy::UserAgents::full ? std::optional(std::string(text))
                                                                  : std::nullopt;
        case PersonalData::none:
            break;
    }
    return field.kind == FieldKind::json ? cut_json(privacy, text) : std::string(text);
}

std::optional<std::string> cut_json(const Privacy& privacy, std::string_view json) {
    return JsonCutter(privacy, json).cut();
}

std::optional<std::string> cut_extra(const Privacy& privacy, std::string_view json) {
    std::optional<std::string> kept = cut_json(privacy, json);
    return kept == "{}" ? std::nullopt : kept;
}

bool shows_personal_data(std::string_view text) {
    const std::string all = folded_key(text);
    return std::any_of(personal_keys.begin(), personal_keys.end(), [&](std::string_view key) {
        return all.find('"' + std::string(key) + '"') != std::string::npos;
    });
}

}  // namespace mirror
