#include "tests/soak/world.hpp"

#include <exception>
#include <memory>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/system/system_error.hpp>

#include "storage/eraser.hpp"
#include "storage/mirror_file.hpp"
#include "storage/sqlite_mirror.hpp"
#include "tests/soak/virtual_executor.hpp"

namespace mirror::soak {

namespace asio = boost::asio;

namespace {

// More is a run that does not end.
constexpr std::uint64_t most_steps = 3'000'000;

storage::MirrorOptions options_for(const std::filesystem::path& file, const Zone& zone,
                                   const Privacy& privacy = {}) {
    storage::MirrorOptions options{file, zone};
    options.privacy = privacy;
    options.busy_timeout = std::chrono::milliseconds(50);
    options.api_url = "https://api.example.com/v3";
    options.program_version = "0";
    return options;
}

bool is_stop(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const boost::system::system_error& stopped) {
        return stopped.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

}  // namespace

World::World(std::filesystem::path file, Instant now, const std::string& zone)
    : account(zone), settings(Zone(zone)), clock(now), file_(std::move(file)) {
    settings.requests_per_second = 1000;
    settings.jitter_seed = 1;
}

// Runs what is ready; if nothing is, time passes.
void World::drive(asio::io_context& loop, const std::function<bool()>& done,
                  std::optional<Instant> stop_at, asio::cancellation_signal& stop) {
    for (std::uint64_t steps = 0; !done(); ++steps) {
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
            // A task group cancels its tasks again and again, by the real clock.
            loop.restart();
            if (loop.run_one_for(std::chrono::seconds(10)) == 0) {
                throw Broken("a run waits for nothing");
            }
        }
    }
}

// One run of the program: its API, its file, its session.
struct World::Process {
    /// The settings must stay where they are.
    Process(World& world, asio::io_context& loop, const sync::Settings& settings)
        : api(world.account, world.behaviour, world.clock),
          mirror(options_for(world.file_, world.settings.zone, world.privacy), world.clock,
                 std::make_unique<VirtualExecutor>(world.clock,
                                                   [&world] {
                                                       return world.store_takes
                                                                  ? world.store_takes()
                                                                  : std::chrono::milliseconds(1);
                                                   })),
          session(loop.get_executor(), api, mirror.store(streams().front()), world.clock, world,
                  settings) {
        api.trouble = world.trouble;
        api.on_arrival = world.on_arrival;
        api.reply_limit = world.reply_limit;
        api.tell = world.tell;
        api.privacy = world.privacy;
    }

    ModelApi api;
    storage::SqliteMirror mirror;
    sync::Session session;
};

void World::with_session(const Command& work) {
    asio::io_context loop{1};
    clock.clear();
    Process process(*this, loop, settings);
    bool done = false;
    std::exception_ptr failed;
    asio::co_spawn(loop, work(process.session), [&](const std::exception_ptr& error) {
        failed = error;
        done = true;
    });
    asio::cancellation_signal never;
    drive(
        loop, [&] { return done; }, std::nullopt, never);
    requests_ += process.api.requests();
    clock.clear();
    if (failed) {
        std::rethrow_exception(failed);
    }
}

asio::awaitable<void> World::one_by_one(
    asio::io_context& loop, const std::vector<Command>& commands, Seconds pause,
    const std::function<void(const std::exception_ptr&)>& ended) {
    for (const Command& command : commands) {
        co_await clock.sleep(pause);
        std::exception_ptr failed;
        try {
            Process process(*this, loop, settings);
            std::exception_ptr inner;
            try {
                co_await command(process.session);
            } catch (...) {
                inner = std::current_exception();
            }
            requests_ += process.api.requests();
            if (inner) {
                std::rethrow_exception(inner);
            }
        } catch (...) {
            failed = std::current_exception();
        }
        if (failed) {
            ended(failed);
        }
    }
}

void World::follow_beside(Seconds duration, const std::vector<Command>& commands,
                          const std::function<void(const std::exception_ptr&)>& ended) {
    asio::io_context loop{1};
    clock.clear();
    sync::Settings patient = settings;
    patient.give_up_after.reset();
    Process running(*this, loop, patient);
    asio::cancellation_signal stop;
    int at_work = 2;
    std::exception_ptr failed;
    std::exception_ptr unexpected;
    asio::co_spawn(loop, running.session.run(),
                   asio::bind_cancellation_slot(stop.slot(), [&](const std::exception_ptr& error) {
                       failed = error;
                       --at_work;
                   }));
    const Seconds pause = duration / static_cast<std::int64_t>(commands.size() + 1);
    asio::co_spawn(loop, one_by_one(loop, commands, pause, ended),
                   [&](const std::exception_ptr& error) {
                       unexpected = error;
                       --at_work;
                   });
    drive(
        loop, [&] { return at_work == 0; }, clock.now() + duration, stop);
    requests_ += running.api.requests();
    clock.clear();
    if (unexpected) {
        std::rethrow_exception(unexpected);
    }
    if (failed && !is_stop(failed)) {
        std::rethrow_exception(failed);
    }
}

sync::Outcome World::sync() {
    sync::Outcome outcome;
    const auto work = [&outcome](sync::Session& session) -> asio::awaitable<void> {
        outcome = co_await session.sync();
    };
    with_session(work);
    return outcome;
}

sync::Outcome World::backfill(const sync::BackfillRequest& request) {
    sync::Outcome outcome;
    const auto work = [&outcome, &request](sync::Session& session) -> asio::awaitable<void> {
        outcome = co_await session.backfill(request);
    };
    with_session(work);
    return outcome;
}

sync::AuditReport World::audit(const sync::AuditRequest& request) {
    sync::AuditReport report;
    const auto work = [&report, &request](sync::Session& session) -> asio::awaitable<void> {
        report = co_await session.audit(request);
    };
    with_session(work);
    return report;
}

sync::StatisticsReport World::audit_statistics(const sync::StatisticsRequest& request) {
    sync::StatisticsReport report;
    const auto work = [&report, &request](sync::Session& session) -> asio::awaitable<void> {
        report = co_await session.audit_statistics(request);
    };
    with_session(work);
    return report;
}

void World::erase(const storage::ErasureRule& rule) {
    storage::MirrorFile file(options_for(file_, settings.zone), clock.now());
    storage::ErasureRequest request;
    request.streams = {&streams().front()};
    request.rules = {rule};
    storage::Eraser eraser = file.eraser();
    eraser.begin(request);
    eraser.finish(clock.now(), [this] { return clock.now(); });
    eraser.clean(std::chrono::milliseconds(0));
}

void World::follow(Seconds duration) {
    follow_beside(duration, {}, {});
}

}  // namespace mirror::soak
