#include "tests/unit/sync/fake_api.hpp"

#include <stdexcept>

#include "tests/unit/sync/turns.hpp"

namespace mirror::tests {

namespace asio = boost::asio;

asio::awaitable<void> FakeApi::pass_time(std::uint64_t skipped) {
    if (pages + identities + statistics_calls > most_requests) {
        throw std::logic_error("this run does not end");
    }
    count_step();
    const auto takes = duration + std::chrono::floor<std::chrono::milliseconds>(
                                      skip_cost * static_cast<std::int64_t>(skipped));
    if (side_by_side) {
        co_await clock_.sleep(takes);
        co_return;
    }
    co_await yield();
    clock_.advance(takes);
}

asio::awaitable<copernica::PageReply> FakeApi::page(const Stream& stream,
                                                    copernica::PageQuery query,
                                                    copernica::RequestGate& gate) {
    co_await gate.pass();
    const std::uint64_t number = pages++;
    totals += query.total ? 1 : 0;
    co_await pass_time(query.start);
    if (on_stream) {
        on_stream(stream);
    }
    if (on_page) {
        on_page(query);
    }
    copernica::PageReply reply;
    reply.date = date ? date(clock_.now()) : clock_.now();
    if ((number >= empty_from && number < empty_from + empty_count) ||
        (empty_when && empty_when(number))) {
        reply.page.start = query.start;
        reply.page.limit = query.limit;
        reply.page.count = 0;
        reply.page.total = 0;
    } else {
        reply.page = model_.answer(query, clock_.now());
    }
    if (distort) {
        distort(query, reply.page);
    }
    co_return reply;
}

asio::awaitable<copernica::StatisticsReply> FakeApi::statistics(copernica::StatisticsQuery query,
                                                                copernica::RequestGate& gate) {
    co_await gate.pass();
    ++statistics_calls;
    co_await pass_time();
    copernica::StatisticsReply reply;
    if (on_statistics) {
        reply.counts = on_statistics(query);
    }
    reply.date = clock_.now();
    co_return reply;
}

asio::awaitable<copernica::Identity> FakeApi::identity(copernica::RequestGate& gate) {
    co_await gate.pass();
    ++identities;
    co_await pass_time();
    if (on_identity) {
        on_identity();
    }
    copernica::Identity identity;
    identity.id = "34";
    identity.name = "Development";
    identity.date = date ? date(clock_.now()) : clock_.now();
    co_return identity;
}

}  // namespace mirror::tests
