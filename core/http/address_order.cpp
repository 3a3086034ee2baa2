#include "core/http/address_order.hpp"

#include <algorithm>

namespace mirror::http {

using boost::asio::ip::tcp;

std::vector<tcp::endpoint> in_order(const std::vector<tcp::endpoint>& resolved,
                                    const std::optional<boost::asio::ip::address>& last_good) {
    std::vector<tcp::endpoint> first;
    std::vector<tcp::endpoint> second;
    for (const tcp::endpoint& endpoint : resolved) {
        const bool as_first = endpoint.address().is_v6() == resolved.front().address().is_v6();
        (as_first ? first : second).push_back(endpoint);
    }
    std::vector<tcp::endpoint> order;
    for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
        for (const auto* const family : {&first, &second}) {
            if (i < family->size()) {
                order.push_back((*family)[i]);
            }
        }
    }
    const auto good = std::find_if(order.begin(), order.end(), [&](const tcp::endpoint& endpoint) {
        return last_good == endpoint.address();
    });
    if (good != order.end()) {
        std::rotate(order.begin(), good, good + 1);
    }
    return order;
}

std::optional<std::chrono::steady_clock::time_point> next_start(
    const RaceState& race, std::chrono::steady_clock::time_point now,
    std::chrono::milliseconds delay) {
    if (race.left == 0) {
        return std::nullopt;
    }
    return race.running == 0 ? now : std::max(now, race.last_start + delay);
}

}  // namespace mirror::http
