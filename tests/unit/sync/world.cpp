#include "tests/unit/sync/world.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <set>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include "core/time/text.hpp"
#include "tests/unit/sync/run_coroutine.hpp"

namespace mirror::tests {

namespace asio = boost::asio;

sync::Outcome World::sync() {
    sync::Session session(loop.get_executor(), api, store, clock, log, settings);
    return run(loop, session.sync());
}

sync::Outcome World::backfill(LocalTime from, std::optional<LocalTime> to, bool force) {
    sync::Session session(loop.get_executor(), api, store, clock, log, settings);
    sync::BackfillRequest request;
    request.from = from;
    request.to = to;
    request.force = force;
    return run(loop, session.backfill(request));
}

void World::follow_until(Instant end) {
    sync::Session session(loop.get_executor(), api, store, clock, log, settings);
    asio::cancellation_signal stop;
    // Not from within a sleeper: cancelling runs handlers.
    clock.on_time = [&] {
        if (clock.now() >= end) {
            asio::post(loop, [&stop] { stop.emit(asio::cancellation_type::terminal); });
        }
    };
    std::exception_ptr failed;
    asio::co_spawn(loop, session.run(),
                   asio::bind_cancellation_slot(
                       stop.slot(), [&](const std::exception_ptr& error) { failed = error; }));
    loop.restart();
    loop.run();
    clock.on_time = nullptr;
    try {
        std::rethrow_exception(failed);
    } catch (const boost::system::system_error& error) {
        if (error.code() != asio::error::operation_aborted) {
            throw;
        }
    }
}

std::string World::difference() const {
    if (!store.broken.empty()) {
        return store.broken.front();
    }
    std::size_t nameless = 0;
    std::size_t missing = 0;
    Instant example{};
    std::set<std::int64_t> known;
    for (const LoggedRow& row : model.rows()) {
        known.insert(row.id);
        // The account's zone may be another than ours: what the file claims is in our reading.
        const Instant read_as =
            settings.zone.name() == model.zone.name() ? row.at : settings.zone.latest(row.time);
        const bool covered = store.covered.contains({read_as, read_as + Seconds(1)}) &&
                             store.covered.contains({row.at, row.at + Seconds(1)});
        if (!covered) {
            continue;
        }
        if (row.id <= 0) {
            ++nameless;
        } else if (!store.rows.contains(row.id)) {
            ++missing;
            example = row.at;
        }
    }
    if (missing > 0) {
        return fmt::format("{} rows are missing, one of {}", missing, format_utc(example));
    }
    if (nameless > store.rejects.size()) {
        return fmt::format("{} rejects are missing", nameless - store.rejects.size());
    }
    for (const auto& [id, time] : store.rows) {
        if (!known.contains(id)) {
            return fmt::format("{} is there and not at the API", id);
        }
    }
    return {};
}

}  // namespace mirror::tests
