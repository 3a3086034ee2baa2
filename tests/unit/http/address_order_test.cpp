#include "core/http/address_order.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace mirror::http;
using namespace std::chrono_literals;
using boost::asio::ip::tcp;

namespace {

std::vector<tcp::endpoint> endpoints(const std::vector<std::string>& addresses) {
    std::vector<tcp::endpoint> all;
    for (const std::string& address : addresses) {
        all.emplace_back(boost::asio::ip::make_address(address), 443);
    }
    return all;
}

}  // namespace

TEST_CASE("addresses: families take turns, and what was good last is the first") {
    struct {
        std::vector<std::string> resolved;
        std::string last_good;
        std::vector<std::string> order;
    } const rows[] = {
        {{"192.0.2.1"}, "", {"192.0.2.1"}},
        {{"2001:db8::1"}, "", {"2001:db8::1"}},
        {{"192.0.2.1", "192.0.2.2"}, "", {"192.0.2.1", "192.0.2.2"}},
        {{"2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2"},
         "",
         {"2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2"}},
        {{"192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1"},
         "",
         {"192.0.2.1", "2001:db8::1", "192.0.2.2", "192.0.2.3"}},
        {{"2001:db8::1", "2001:db8::2", "192.0.2.1"},
         "2001:db8::2",
         {"2001:db8::2", "2001:db8::1", "192.0.2.1"}},
        {{"2001:db8::1", "192.0.2.1"}, "192.0.2.1", {"192.0.2.1", "2001:db8::1"}},
        {{"2001:db8::1", "192.0.2.1"}, "192.0.2.9", {"2001:db8::1", "192.0.2.1"}},
    };
    for (const auto& row : rows) {
        std::optional<boost::asio::ip::address> good;
        if (!row.last_good.empty()) {
            good = boost::asio::ip::make_address(row.last_good);
        }
        CHECK(in_order(endpoints(row.resolved), good) == endpoints(row.order));
    }
    CHECK(in_order({}, std::nullopt).empty());
}

TEST_CASE("addresses: when the next one is tried") {
    const std::chrono::steady_clock::time_point now{1h};
    RaceState race;
    CHECK(next_start(race, now, 250ms) == std::nullopt);
    race.left = 2;
    CHECK(next_start(race, now, 250ms) == now);
    race.running = 1;
    race.last_start = now - 100ms;
    CHECK(next_start(race, now, 250ms) == now + 150ms);
    race.last_start = now - 300ms;
    CHECK(next_start(race, now, 250ms) == now);
    race.running = 0;
    race.last_start = now;
    CHECK(next_start(race, now, 250ms) == now);
    race.running = 1;
    race.left = 0;
    CHECK(next_start(race, now, 250ms) == std::nullopt);
}
