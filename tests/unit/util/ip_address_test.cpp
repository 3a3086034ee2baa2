#include "core/util/ip_address.hpp"

#include <doctest/doctest.h>

using namespace mirror;

TEST_CASE("IP address: several texts of one address") {
    CHECK(read_ip_address("192.0.2.7") == read_ip_address("::ffff:192.0.2.7"));
    CHECK(read_ip_address("2001:db8::1") == read_ip_address("2001:0DB8:0:0:0:0:0:1"));
    CHECK(read_ip_address("192.0.2.7") != read_ip_address("192.0.2.8"));
    CHECK(format_ip_address(*read_ip_address("::ffff:192.0.2.7")) == "192.0.2.7");
    CHECK(format_ip_address(*read_ip_address("2001:0DB8::1")) == "2001:db8::1");
}

TEST_CASE("IP address: what is not one") {
    using namespace std::string_view_literals;
    for (const auto text : {""sv, "192.0.2"sv, "192.0.2.256"sv, "192.0.2.7/24"sv, " 192.0.2.7"sv,
                            "192.0.2.7\0"sv, "fe80::1%eth0"sv, "localhost"sv,
                            "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb"sv}) {
        CAPTURE(std::string(text));
        CHECK_FALSE(read_ip_address(text));
    }
}
