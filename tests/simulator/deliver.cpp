#include "tests/simulator/deliver.hpp"

#include <array>
#include <cstdint>

#include <boost/asio/buffer.hpp>

namespace simulator {

namespace asio = boost::asio;

namespace {

asio::awaitable<void> until_closed(Stream& stream) {
    std::array<char, 1024> ignored;
    while (co_await stream.read_some(asio::buffer(ignored)) != 0) {
    }
}

// Closing with unread bytes would be an RST, which may overtake what was sent: so the
// client's end of the connection is awaited.
asio::awaitable<void> finish(Stream& stream) {
    co_await stream.finish();
    co_await until_closed(stream);
}

asio::awaitable<void> deliver_raw(Stream& stream, const VerbatimReply& raw) {
    bool there = co_await stream.write(asio::buffer(raw.bytes), asio::const_buffer());
    for (std::uint64_t sent = 0; there && sent < raw.pieces; ++sent) {
        there = co_await stream.write(asio::buffer(raw.piece), asio::const_buffer());
    }
    if (raw.end == VerbatimReply::End::reset) {
        stream.reset();
    } else if (raw.end == VerbatimReply::End::stay) {
        co_await until_closed(stream);
    } else if (there) {
        co_await finish(stream);
    }
}

}  // namespace

asio::awaitable<bool> deliver(Stream& stream, const Exchange& exchange,
                              const std::function<void(std::size_t)>& sent) {
    if (exchange.raw) {
        co_await deliver_raw(stream, *exchange.raw);
        co_return false;
    }
    const auto head = asio::buffer(exchange.wire.head);
    const auto body = asio::buffer(exchange.wire.body);
    const auto half = asio::buffer(body, body.size() / 2);
    switch (exchange.delivery) {
        case Delivery::whole:
        case Delivery::close_after: {
            if (!co_await stream.write(head, body)) {
                co_return false;
            }
            sent(head.size() + body.size());
            if (exchange.delivery == Delivery::whole) {
                co_return true;
            }
            co_await finish(stream);
            co_return false;
        }
        case Delivery::close_before:
            co_await finish(stream);
            co_return false;
        case Delivery::reset_before:
            stream.reset();
            co_return false;
        case Delivery::hang:
            co_await until_closed(stream);
            co_return false;
        case Delivery::hang_in_body:
            co_await stream.write(head, half);
            co_await until_closed(stream);
            co_return false;
        case Delivery::close_in_body:
            co_await stream.write(head, half);
            co_await finish(stream);
            co_return false;
        case Delivery::reset_in_body:
            co_await stream.write(head, half);
            stream.reset();
            co_return false;
        case Delivery::without_last_chunk:
            co_await stream.write(head, body);
            co_await finish(stream);
            co_return false;
    }
    co_return false;
}

}  // namespace simulator
