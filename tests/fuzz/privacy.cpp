// What is kept of addresses, and of JSON that has addresses and user agents.
#include "core/record/privacy.hpp"

#include <cstddef>
#include <optional>
#include <string>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "tests/fuzz/target.hpp"

namespace mirror::fuzz {
namespace {

namespace json = boost::json;

constexpr Privacy nothing{Privacy::Addresses::none, Privacy::UserAgents::none};
constexpr Privacy networks{Privacy::Addresses::network, Privacy::UserAgents::none};

void check_address(std::string_view input) {
    require(!cut_address(Privacy::Addresses::none, input), "an address is kept");
    const auto network = cut_address(Privacy::Addresses::network, input);
    require(!network || cut_address(Privacy::Addresses::network, *network) == network,
            "a network is cut to another one");
}

// The way that this code decides compares whole names, not folded ones.
bool is_named(std::string_view key, std::string_view name) {
    std::size_t at = 0;
    for (const char c : key) {
        if (c == '_' || c == '-') {
            continue;
        }
        if (at >= name.size() || (c != name[at] && c != name[at] - 'a' + 'A')) {
            return false;
        }
        ++at;
    }
    return at == name.size();
}

bool is_address(std::string_view key) {
    return is_named(key, "ip") || is_named(key, "ipaddress");
}

// What is left of a value, member by member.
json::value less(const Privacy& privacy, const json::value& value) {
    if (const json::array* const array = value.if_array()) {
        json::array kept;
        for (const json::value& element : *array) {
            kept.push_back(less(privacy, element));
        }
        return kept;
    }
    const json::object* const object = value.if_object();
    if (object == nullptr) {
        return value;
    }
    json::object kept;
    for (const auto& [key, member] : *object) {
        if (!is_address(key) && !is_named(key, "useragent")) {
            kept[key] = less(privacy, member);
        } else if (const json::string* const text = member.if_string();
                   text != nullptr && is_address(key)) {
            if (const auto address = cut_address(privacy.ip, {text->data(), text->size()})) {
                kept[key] = *address;
            }
        }
    }
    return kept;
}

void check_cut(const Privacy& privacy, const json::value& value, const std::string& text) {
    const std::optional<std::string> kept = cut_json(privacy, text);
    require(kept.has_value(), "nothing is kept of JSON");
    json::error_code error;
    const json::value read = json::parse(*kept, error);
    require(!error, "what is kept is not JSON");
    require(read == less(privacy, value), "other members are kept");
    require(cut_json(privacy, *kept) == kept, "what is kept is cut again");
}

void check_json(std::string_view input) {
    // Other text than canonical JSON may be cut or refused, but what is kept is not cut again.
    const std::optional<std::string> any = cut_json(nothing, input);
    require(!any || cut_json(nothing, *any) == any, "what is kept of some text is cut again");
    json::error_code error;
    const json::value value = json::parse({input.data(), input.size()}, error);
    if (error) {
        return;
    }
    // Read again: Boost.JSON does not always get back the large number that it wrote, and writes
    // one beyond a double as 1e99999, which it does not read.
    const std::string text = json::serialize(value);
    const json::value written = json::parse(text, error);
    if (error) {
        return;
    }
    check_cut(nothing, written, text);
    check_cut(networks, written, text);
}

}  // namespace

void privacy(std::string_view input) {
    check_address(input);
    check_json(input);
}

}  // namespace mirror::fuzz
