#include "core/sync/estimate.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "core/sync/account_probe.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

namespace {

// What one count may take: 0 is asked twice, and a refusal is looked into.
constexpr std::uint64_t requests_a_count = 3;

// The widest window of all, taken out.
Window take_widest(std::vector<Window>& windows) {
    const auto widest =
        std::max_element(windows.begin(), windows.end(),
                         [](const Window& a, const Window& b) { return a.width() < b.width(); });
    const Window taken = *widest;
    windows.erase(widest);
    return taken;
}

}  // namespace

asio::awaitable<CountedRows> count_rows(copernica::Client& client, const Settings& settings,
                                        WindowSet periods, std::uint64_t most_requests) {
    const std::uint64_t last = client.requests() + most_requests;
    std::vector<Window> left = periods.windows();
    CountedRows counted;
    Seconds width{0};
    while (!left.empty() && client.requests() + requests_a_count <= last) {
        const Window window = take_widest(left);
        const std::optional<std::uint64_t> rows =
            co_await count_at_api(client, settings, window.begin, window.end);
        const Instant middle = settings.zone.align_down(window.begin + window.width() / 2);
        if (rows) {
            counted.rows += *rows;
            width += window.width();
        } else if (middle > window.begin) {
            left.push_back({window.begin, middle});
            left.push_back({middle, window.end});
        }
    }
    Seconds rest{0};
    for (const Window& window : left) {
        rest += window.width();
    }
    counted.exact = rest.count() == 0;
    if (!counted.exact && width.count() > 0) {
        const double more = static_cast<double>(rest.count()) / static_cast<double>(width.count());
        counted.rows += static_cast<std::uint64_t>(static_cast<double>(counted.rows) * more);
    }
    co_return counted;
}

}  // namespace mirror::sync
