#include "tests/soak/world.hpp"

#include <exception>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/system/system_error.hpp>

namespace mirror::soak {

namespace asio = boost::asio;

namespace {

// More is a run that does not end.
constexpr std::uint64_t most_steps = 3'000'000;

storage::MirrorOptions options_for(const std::filesystem::path& file, const Zone& zone) {
    storage::MirrorOptions options{file, zone};
    options.busy_timeout = std::chrono::milliseconds(50);
    options.api_url = "https://api.example.com/v3";
    options.program_version = "0";
    return options;
}

}  // namespace

World::World(std::filesystem::path file, Instant now, const std::string& zone)
    : account(zone), settings(Zone(zone)), clock(now), file_(std::move(file)) {
    settings.requests_per_second = 1000;
    settings.jitter_seed = 1;
}

// Runs what is ready; where nothing is, time passes.
void World::drive(asio::io_context& loop, const bool& done, std::optional<Instant> stop_at,
                  asio::cancellation_signal& stop) {
    for (std::uint64_t steps = 0; !done; ++steps) {
        if (steps > most_steps) {
            throw Broken("a run does not end");
        }
        loop.restart();
        if (loop.poll() > 0) {
            continue;
        }
        if (stop_at && clock.now() >= *stop_at) {
            stop.emit(asio::cancellation_type::terminal);
        }
        if (!clock.pass()) {
            // A task group tells its tasks again and again to end, by the real clock.
            loop.restart();
            if (loop.run_one_for(std::chrono::seconds(10)) == 0) {
                throw Broken("a run waits for nothing");
            }
        }
    }
}

void World::with_session(const std::function<asio::awaitable<void>(sync::Session&)>& work,
                         std::optional<Seconds> stop_after) {
    asio::io_context loop{1};
    clock.clear();
    ModelApi api(account, behaviour, clock);
    api.trouble = trouble;
    api.on_arrival = on_arrival;
    api.tell = tell;
    const auto takes = [this] {
        return store_takes ? store_takes() : std::chrono::milliseconds(1);
    };
    FileStore store(options_for(file_, settings.zone), clock, takes);
    sync::Session session(loop.get_executor(), api, store, clock, *this, settings);
    asio::cancellation_signal stop;
    bool done = false;
    std::exception_ptr failed;
    const std::optional<Instant> stop_at =
        stop_after ? std::optional(clock.now() + *stop_after) : std::nullopt;
    asio::co_spawn(loop, work(session),
                   asio::bind_cancellation_slot(stop.slot(), [&](const std::exception_ptr& error) {
                       failed = error;
                       done = true;
                   }));
    drive(loop, done, stop_at, stop);
    requests_ += api.requests();
    clock.clear();
    if (failed) {
        std::rethrow_exception(failed);
    }
}

sync::Outcome World::sync() {
    sync::Outcome outcome;
    const auto work = [&outcome](sync::Session& session) -> asio::awaitable<void> {
        outcome = co_await session.sync();
    };
    with_session(work, std::nullopt);
    return outcome;
}

sync::Outcome World::backfill(const sync::BackfillRequest& request) {
    sync::Outcome outcome;
    const auto work = [&outcome, &request](sync::Session& session) -> asio::awaitable<void> {
        outcome = co_await session.backfill(request);
    };
    with_session(work, std::nullopt);
    return outcome;
}

sync::AuditReport World::audit(const sync::AuditRequest& request) {
    sync::AuditReport report;
    const auto work = [&report, &request](sync::Session& session) -> asio::awaitable<void> {
        report = co_await session.audit(request);
    };
    with_session(work, std::nullopt);
    return report;
}

void World::follow(Seconds duration) {
    const std::optional<Seconds> patience = std::exchange(settings.give_up_after, std::nullopt);
    const auto work = [](sync::Session& session) -> asio::awaitable<void> { return session.run(); };
    std::exception_ptr failed;
    try {
        with_session(work, duration);
    } catch (const boost::system::system_error& stopped) {
        if (stopped.code() != asio::error::operation_aborted) {
            failed = std::current_exception();
        }
    } catch (...) {
        failed = std::current_exception();
    }
    settings.give_up_after = patience;
    if (failed) {
        std::rethrow_exception(failed);
    }
}

}  // namespace mirror::soak
