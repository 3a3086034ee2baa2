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

// A period that fails twice is not counted as one.
constexpr int most_failures = 2;

// Into how many parts a period is cut that the API does not count as one: with quarters, three
// refusals lead from the year 2000 to some months.
constexpr int parts = 4;

// The newest is the likeliest to hold rows, so that what is counted says something of the rest.
Window take_newest(std::vector<Window>& windows) {
    const auto newest = std::max_element(windows.begin(), windows.end());
    const Window taken = *newest;
    windows.erase(newest);
    return taken;
}

void cut(const Window& window, const Zone& zone, std::vector<Window>& windows) {
    Instant begin = window.begin;
    for (int part = 1; part <= parts; ++part) {
        const Instant end = part == parts
                                ? window.end
                                : zone.align_down(window.begin + window.width() * part / parts);
        if (end > begin) {
            windows.push_back({begin, end});
            begin = end;
        }
    }
}

}  // namespace

asio::awaitable<CountedRows> count_rows(copernica::Client& client, const Settings& settings,
                                        WindowSet periods, std::uint64_t most_requests) {
    const std::uint64_t last = client.requests() + most_requests;
    std::vector<Window> left = periods.windows();
    CountedRows counted;
    Seconds width{0};
    while (!left.empty() && client.requests() + requests_a_count <= last) {
        const Window window = take_newest(left);
        const std::optional<std::uint64_t> rows =
            co_await count_at_api(client, settings, window.begin, window.end, most_failures);
        if (rows) {
            counted.rows += *rows;
            width += window.width();
        } else {
            cut(window, settings.zone, left);
        }
    }
    Seconds rest{0};
    for (const Window& window : left) {
        rest += window.width();
    }
    counted.exact = rest.count() == 0;
    counted.nothing_known = !counted.exact && width.count() == 0;
    if (!counted.exact && !counted.nothing_known) {
        const double more = static_cast<double>(rest.count()) / static_cast<double>(width.count());
        counted.rows += static_cast<std::uint64_t>(static_cast<double>(counted.rows) * more);
    }
    co_return counted;
}

}  // namespace mirror::sync
