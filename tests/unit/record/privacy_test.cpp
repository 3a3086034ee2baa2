// What is kept of addresses and user agents.
#include "core/record/privacy.hpp"

#include <optional>
#include <string>

#include <doctest/doctest.h>

using namespace mirror;
using Addresses = Privacy::Addresses;
using UserAgents = Privacy::UserAgents;

namespace {

constexpr Privacy networks{Addresses::network, UserAgents::full};
constexpr Privacy nothing{Addresses::none, UserAgents::none};

std::string network_of(std::string_view text) {
    return cut_address(Addresses::network, text).value_or("nothing");
}

std::string json(const Privacy& privacy, std::string_view text) {
    return cut_json(privacy, text).value_or("no JSON");
}

}  // namespace

TEST_CASE("privacy: of an address its network is kept, and of another text nothing") {
    const struct {
        const char* text;
        const char* network;
    } table[] = {
        {"192.0.2.77", "192.0.2.0"},
        {"192.0.2.0", "192.0.2.0"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.0"},
        {"::ffff:192.0.2.77", "192.0.2.0"},
        {"::FFFF:C000:024D", "192.0.2.0"},
        {"2001:db8:1:2::5", "2001:db8:1::"},
        {"2001:DB8:0001:ffff:ffff:ffff:ffff:ffff", "2001:db8:1::"},
        {"2001:db8:1::", "2001:db8:1::"},
        {"ffff:ffff:ffff:ffff::", "ffff:ffff:ffff::"},
        {"::1", "::"},
        {"::", "::"},
        {"fe80::1", "fe80::"},
        {"64:ff9b::192.0.2.77", "64:ff9b::"},
        // Of 6to4, the IPv4 address is in the first 48 bits.
        {"2002:c000:024d::1", "2002:c000:200::"},
        {"fe80::1%eth0", "nothing"},
        {"", "nothing"},
        {" 192.0.2.77", "nothing"},
        {"192.0.2.77 ", "nothing"},
        {"192.0.2.77\n", "nothing"},
        {"192.0.2.77:25", "nothing"},
        {"[2001:db8:1:2::5]", "nothing"},
        {"[2001:db8:1:2::5]:25", "nothing"},
        {"192.0.2.77, 198.51.100.1", "nothing"},
        {"192.0.2.77/24", "nothing"},
        {"192.0.2.077", "nothing"},
        {"192.0.2", "nothing"},
        {"3221226061", "nothing"},
        {"host.example.com", "nothing"},
        {"2001:db8:1:2::5::", "nothing"},
        {"2001:db8:1:2:3:4:5:6:7:8:9:10:11:12:13:14:15", "nothing"},
    };
    for (const auto& line : table) {
        const char* const text = line.text;
        const char* const network = line.network;
        CAPTURE(std::string(text));
        CHECK(network_of(text) == network);
        CHECK(cut_address(Addresses::full, text) == text);
        CHECK(cut_address(Addresses::none, text) == std::nullopt);
        // Once more changes nothing.
        if (network_of(text) != "nothing") {
            CHECK(network_of(network) == network);
        }
    }
    CHECK(network_of(std::string_view("192.0.2.77\0", 11)) == "nothing");
}

TEST_CASE("privacy: JSON loses what is not kept at any depth, and nothing else") {
    const std::string plain =
        R"({"a":[1,2.50,-1e400,true,null,"ip"],"b":{},"c":[],"d":"\"ip\":\\","zip":"192.0.2.77"})";
    CHECK(json(nothing, plain) == plain);
    CHECK(json(networks, R"({"ip":"192.0.2.77"})") == R"({"ip":"192.0.2.0"})");
    CHECK(json(nothing, R"({"ip":"192.0.2.77"})") == "{}");
    CHECK(json(networks, R"({"a":1,"ip":"soon","useragent":"x","z":2})") ==
          R"({"a":1,"useragent":"x","z":2})");
    CHECK(json(nothing, R"({"IP":"192.0.2.77","User-Agent":"x","ip_address":"192.0.2.77",)"
                        R"("userAgent":"x","user_agent":"x","z":[{"ip":"192.0.2.77","q":1}]})") ==
          R"({"z":[{"q":1}]})");
    for (const char* const other : {"12", "null", R"(["192.0.2.77"])", R"({"ip":"192.0.2.77"})",
                                    "true", R"("192.0.2.\u00377")", R"("")"}) {
        CAPTURE(std::string(other));
        const std::string record = R"({"a":{"ip":)" + std::string(other) + R"(,"b":1}})";
        CHECK(json(networks, record) == R"({"a":{"b":1}})");
    }
    CHECK(json(networks, R"([{"ip":"::1"},[["x"]],{"ip":1}])") == R"([{"ip":"::"},[["x"]],{}])");
    CHECK(json(networks, R"("192.0.2.77")") == R"("192.0.2.77")");
    CHECK(cut_extra(nothing, R"({"ip":"192.0.2.77"})") == std::nullopt);
    CHECK(cut_extra(nothing, R"({"ip":1,"x":2})") == R"({"x":2})");
}

TEST_CASE("privacy: what is not JSON, or not as this program writes it, is not kept") {
    for (const char* const text :
         {"", "{", "}", "[", R"({"a")", R"({"a":})", R"({"a":1)", R"({"a":1}x)", R"({"a":1,)",
          R"({a:1})", R"("a)", R"("a\)", R"({"ip":"192.0.2.77})", R"({"a": {"ip":"192.0.2.77"}})",
          R"({"ip" :"192.0.2.77"})", "[1 2]", R"([1"ip"])", "[,1]"}) {
        CAPTURE(std::string(text));
        CHECK(cut_json(networks, text) == std::nullopt);
    }
    CHECK(cut_json(networks, std::string(100'000, '[')) == std::nullopt);
}

TEST_CASE("privacy: names, and which of two keeps less") {
    for (const std::string& name : address_choices()) {
        CHECK(name_of(addresses_named(name)) == name);
    }
    for (const std::string& name : user_agent_choices()) {
        CHECK(name_of(user_agents_named(name)) == name);
    }
    CHECK(addresses_named("") == Addresses::full);
    const Privacy agents{Addresses::full, UserAgents::none};
    CHECK(narrower(networks, agents) == Privacy{Addresses::network, UserAgents::none});
    CHECK(narrower(networks, nothing) == nothing);
    CHECK_FALSE(Privacy{}.cuts());
    CHECK(networks.cuts());
    CHECK(agents.cuts());
}

TEST_CASE("privacy: a message may show the begin of a record") {
    CHECK(shows_personal_data(R"(no usable ID: {"ip":"192.0.2.77)"));
    CHECK(shows_personal_data(R"(not an object: [{"User_Agent":"x)"));
    CHECK_FALSE(shows_personal_data(R"(no usable ID: "zip")"));
}
