#include "core/sync/account_probe.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

namespace {

constexpr int replies_for_zero = 2;

}  // namespace

asio::awaitable<std::optional<bool>> shows_anything(copernica::Client& client,
                                                    const Settings& settings,
                                                    std::optional<LocalTime> known) {
    copernica::PageQuery query;
    if (known) {
        // A short period, which every server serves, with a row in it unless that has gone since.
        query.begintime = settings.zone.second_before(*known);
        query.endtime = settings.zone.second_after(*known);
        query.limit = 1;
        const auto fetched = co_await client.fetch_unless_at_fault(query, repeated_hour);
        if (fetched && fetched->page.records() > 0) {
            co_return true;
        }
    }
    query.begintime = settings.zone.second_before(settings.start);
    query.endtime = settings.zone.to_local(client.settled());
    query.limit = 1;
    for (int reply = 0; reply < replies_for_nothing; ++reply) {
        const auto fetched = co_await client.fetch_unless_at_fault(query, repeated_hour);
        if (!fetched) {
            co_return std::nullopt;
        }
        if (fetched->page.records() > 0) {
            co_return true;
        }
    }
    co_return false;
}

asio::awaitable<std::optional<std::uint64_t>> count_at_api(copernica::Client& client,
                                                           const Settings& settings, Instant begin,
                                                           Instant end, int most_failures) {
    const LocalPeriod span = settings.zone.span({begin, end});
    copernica::PageQuery query;
    query.begintime = settings.zone.second_before(span.begin);
    query.endtime = span.end;
    query.limit = 1;
    query.total = true;
    return count_at_api(client, query, most_failures);
}

asio::awaitable<std::optional<std::uint64_t>> count_at_api(copernica::Client& client,
                                                           copernica::PageQuery query,
                                                           int most_failures) {
    // A server in trouble was seen to answer every second request emptily: 0 counts only if the
    // next reply says so, too.
    std::uint64_t total = 0;
    for (int reply = 0; reply < replies_for_zero && total == 0; ++reply) {
        const auto fetched =
            co_await client.fetch_unless_at_fault(query, repeated_hour, most_failures);
        if (!fetched) {
            co_return std::nullopt;
        }
        total = fetched->page.total.value();
    }
    co_return total;
}

}  // namespace mirror::sync
