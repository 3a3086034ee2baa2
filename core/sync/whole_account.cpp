#include "core/sync/whole_account.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

namespace {

// More than the longest streak of empty replies that the project is tested against (50).
constexpr int replies_for_nothing = 64;

constexpr std::chrono::hours repeated_hour(1);

}  // namespace

asio::awaitable<bool> shows_anything(Fetcher& fetcher, const Settings& settings) {
    api::PageQuery query;
    query.begintime = settings.zone.second_before(settings.start);
    query.endtime = settings.zone.to_local(fetcher.settled());
    query.limit = 1;
    for (int reply = 0; reply < replies_for_nothing; ++reply) {
        const Fetched fetched = co_await fetcher.page_at_last(query, repeated_hour);
        if (fetched.page.records() > 0) {
            co_return true;
        }
    }
    co_return false;
}

asio::awaitable<std::uint64_t> count_at_api(Fetcher& fetcher, const Settings& settings,
                                            Instant begin, Instant end) {
    const LocalPeriod span = settings.zone.span({begin, end});
    api::PageQuery query;
    query.begintime = settings.zone.second_before(span.begin);
    query.endtime = span.end;
    query.limit = 1;
    query.total = true;
    const Fetched fetched = co_await fetcher.page_at_last(query, repeated_hour);
    co_return fetched.page.total.value();
}

}  // namespace mirror::sync
