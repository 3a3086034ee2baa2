#include "tests/simulator/generate.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

#include "tests/simulator/chance.hpp"
#include "tests/simulator/details.hpp"

namespace simulator {
namespace {

using mirror::Instant;
using mirror::Seconds;

Instant within(std::mt19937_64& random, const mirror::Window& period) {
    const auto width =
        static_cast<std::uint64_t>(std::max<std::int64_t>(period.width().count(), 1));
    return period.begin + Seconds(static_cast<std::int64_t>(below(random, width)));
}

struct Event {
    Instant logged;
    Instant at;
    std::int64_t mailing;
};

std::vector<Event> steady(std::mt19937_64& random, const Generation& generation) {
    std::vector<Event> events(generation.rows);
    for (Event& event : events) {
        event.at = within(random, generation.period);
        event.mailing = 400 + (event.at - generation.period.begin) / std::chrono::hours(24 * 7);
    }
    return events;
}

std::vector<Event> bursty(std::mt19937_64& random, const Generation& generation) {
    const std::uint64_t mailings = std::max<std::uint64_t>(
        generation.rows / std::max<std::uint64_t>(generation.rows_per_mailing, 1), 1);
    std::vector<Instant> sent(mailings);
    std::generate(sent.begin(), sent.end(), [&] { return within(random, generation.period); });
    std::sort(sent.begin(), sent.end());
    std::vector<Event> events(generation.rows);
    for (Event& event : events) {
        // Squared, so that some mailings are far larger than others.
        const double where = fraction(random);
        const auto mailing =
            static_cast<std::uint64_t>(where * where * static_cast<double>(mailings));
        constexpr double mean_seconds = 6 * 3600.0;
        const double later = -std::log(1.0 - fraction(random)) * mean_seconds;
        event.at = sent[mailing] + Seconds(30 + static_cast<std::int64_t>(later));
        if (!generation.period.contains(event.at)) {
            event.at = within(random, {sent[mailing], generation.period.end});
        }
        event.mailing = 400 + static_cast<std::int64_t>(mailing);
    }
    return events;
}

std::vector<Event> seconds(std::mt19937_64& random, const Generation& generation) {
    std::vector<Event> events(generation.rows);
    Instant second{};
    std::int64_t mailing = 400;
    for (std::uint64_t i = 0; i < events.size(); ++i) {
        if (i % std::max<std::uint64_t>(generation.burst, 1) == 0) {
            second = within(random, generation.period);
            ++mailing;
        }
        events[i].at = second;
        events[i].mailing = mailing;
    }
    return events;
}

std::vector<Event> events(std::mt19937_64& random, const Generation& generation) {
    switch (generation.shape) {
        case Shape::steady:
            return steady(random, generation);
        case Shape::bursty:
            return bursty(random, generation);
        case Shape::seconds:
            return seconds(random, generation);
    }
    return {};
}

}  // namespace

void generate(Account& account, const Generation& generation) {
    std::mt19937_64 random(generation.seed);
    std::vector<Event> all = events(random, generation);
    for (Event& event : all) {
        event.logged = event.at;
        if (generation.late_share > 0 && fraction(random) < generation.late_share) {
            event.logged += Seconds(static_cast<std::int64_t>(
                below(random, static_cast<std::uint64_t>(generation.latest_by.count()) + 1)));
        }
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const Event& a, const Event& b) { return a.logged < b.logged; });
    RowMaker maker(generation.seed, generation.agents);
    std::int64_t id = generation.first_id;
    for (const Event& event : all) {
        Row row = maker.make(id++, event.at, event.mailing);
        add_details(account.chosen(), row, static_cast<std::uint64_t>(row.id));
        row.visible_from = event.logged;
        account.add(row);
    }
}

RowMaker::RowMaker(std::uint64_t seed, std::size_t agents) : random_(seed) {
    struct Platform {
        const char* system;
        const char* device;
    };
    static constexpr std::array<Platform, 8> platforms{{
        {"Windows NT 10.0; Win64; x64", "desktop"},
        {"Macintosh; Intel Mac OS X 10_15_7", "desktop"},
        {"X11; Linux x86_64", "desktop"},
        {"iPhone; CPU iPhone OS 17_4 like Mac OS X", "mobile"},
        {"Linux; Android 14; SM-S918B", "mobile"},
        {"Linux; Android 13; Pixel 7", "mobile"},
        {"iPad; CPU OS 17_4 like Mac OS X", "tablet"},
        {"Linux; Android 12; SM-T500", "tablet"},
    }};
    constexpr int first_version = 88;
    constexpr std::size_t browsers = 2;
    const auto versions =
        static_cast<int>(std::max<std::size_t>(agents / (platforms.size() * browsers), 1));
    for (const Platform& platform : platforms) {
        for (int version = first_version; version < first_version + versions; ++version) {
            const std::string system = std::string("Mozilla/5.0 (") + platform.system;
            const std::string number = std::to_string(version) + ".0";
            agents_.push_back({system + ") AppleWebKit/537.36 (KHTML, like Gecko) Chrome/" +
                                   number + ".0.0 Safari/537.36",
                               platform.device});
            agents_.push_back({system + "; rv:" + number + ") Gecko/20100101 Firefox/" + number,
                               platform.device});
        }
    }
    agents_.push_back(
        {"Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via "
         "ggpht.com GoogleImageProxy)",
         "unknown"});
    agents_.push_back(
        {"Lecteur d'\xc3\xa9l\xc3\xa9ments \xe2\x9c\x89 \xf0\x9f\x93\xa7/1.0", "unknown"});
}

RowMaker::Reader RowMaker::make_reader() {
    std::array<char, 64> ip{};
    const auto part = [&](std::uint64_t limit) {
        return static_cast<unsigned>(below(random_, limit));
    };
    // Drawn one by one, the last one first: the order of arguments is the compiler's, and a seed's
    // rows are to be the same with each.
    constexpr unsigned one_in_ipv6 = 4;
    if (part(one_in_ipv6) == 0) {
        const unsigned last = 1 + part(0xffff);
        const unsigned middle = part(0x10000);
        const unsigned first = part(0x10000);
        std::snprintf(ip.data(), ip.size(), "2a03:e280:%x::%x:%x", first, middle, last);
    } else {
        const unsigned last = 1 + part(254);
        const unsigned third = part(256);
        const unsigned second = part(256);
        const unsigned first = 11 + part(200);
        std::snprintf(ip.data(), ip.size(), "%u.%u.%u.%u", first, second, third, last);
    }
    // Few user agents are common, most are rare.
    const double where = fraction(random_);
    const auto agent =
        static_cast<std::size_t>(where * where * where * static_cast<double>(agents_.size()));
    return {ip.data(), agent};
}

Row RowMaker::make(std::int64_t id, mirror::Instant at, std::int64_t mailing) {
    constexpr std::uint64_t one_in_new = 5;
    constexpr std::uint64_t hundred = 100;
    std::size_t reader = readers_.size();
    if (readers_.empty() || below(random_, one_in_new) == 0) {
        readers_.push_back(make_reader());
    } else {
        reader = static_cast<std::size_t>(below(random_, readers_.size()));
    }
    const Agent& agent = agents_[readers_[reader].agent];
    constexpr std::int64_t first_profile = 13000;
    const std::int64_t profile = first_profile + static_cast<std::int64_t>(reader);

    Row row;
    row.id = id;
    row.at = at;
    row.mailing = mailing;
    row.ip = readers_[reader].ip;
    if (below(random_, hundred) != 0) {
        row.useragent = agent.text;
        row.device = agent.device;
    } else {
        row.device = "unknown";
    }
    constexpr std::int64_t destinations_a_mailing = 100'000;
    row.destination = mailing * destinations_a_mailing + profile % destinations_a_mailing;
    if (below(random_, hundred) >= 2) {
        row.profile = profile;
    }
    constexpr std::uint64_t percent_with_subprofile = 15;
    if (below(random_, hundred) < percent_with_subprofile) {
        row.subprofile = profile * 2;
    }
    return row;
}

}  // namespace simulator
