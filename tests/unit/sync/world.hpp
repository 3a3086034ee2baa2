// The world around core/sync, in memory: no sockets, no waiting.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "core/sync/observer.hpp"
#include "core/sync/session.hpp"
#include "core/time/instant.hpp"
#include "core/time/zone.hpp"
#include "tests/unit/sync/fake_api.hpp"
#include "tests/unit/sync/fake_clock.hpp"
#include "tests/unit/sync/fake_store.hpp"
#include "tests/unit/sync/model.hpp"

namespace mirror::tests {

struct Log final : sync::Observer {
    void progress(const sync::Progress&) override {}
    void debug(const std::string&) override {}
    void info(const std::string& line) override { infos.push_back(line); }
    void warning(const std::string& line) override { warnings.push_back(line); }
    std::vector<std::string> infos;
    std::vector<std::string> warnings;
};

/// Everything for sessions, one after another, against one account and one file.
struct World {
    explicit World(Instant now, const std::string& zone = "Europe/Amsterdam")
        : settings(Zone(zone)),
          clock(now),
          model(settings.zone),
          api(model, clock),
          store(settings.zone) {}

    boost::asio::io_context loop;
    sync::Settings settings;
    FakeClock clock;
    Model model;
    FakeApi api;
    FakeStore store;
    Log log;

    sync::Outcome sync();
    sync::Outcome backfill(LocalTime from, std::optional<LocalTime> to, bool force = false);
    /// `run`, stopped at about that time. Throws what ended it before.
    void follow_until(Instant end);

    /// What is wrong with the covered periods of the store: rows that are not there, or not
    /// any more at the API. Empty if all is well.
    std::string difference() const;
};

}  // namespace mirror::tests
