// What is announced at a reload is what is applied.
#include "daemon/commands/run_settings.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "daemon/config/config_change.hpp"
#include "daemon/config/longest_pause.hpp"
#include "daemon/config/stream_choice.hpp"

using namespace mirror;
using namespace mirror::daemon;

namespace {

struct Changeable {
    std::string key;
    std::function<void(Config&)> change;
    std::function<bool(const sync::Settings&)> in_effect;
};

const std::vector<Changeable>& changeable_settings() {
    using S = const sync::Settings&;
    static const std::vector<Changeable> all{
        {"api.requests_per_second", [](Config& c) { c.api.requests_per_second = 3; },
         [](S s) { return s.requests_per_second == 3; }},
        {"mirror.poll_interval", [](Config& c) { c.mirror.poll_interval = Seconds(7); },
         [](S s) { return s.poll_interval == Seconds(7); }},
        {"mirror.idle_poll_interval", [](Config& c) { c.mirror.idle_poll_interval = Seconds(900); },
         [](S s) { return s.idle_poll_interval == Seconds(900); }},
        {"mirror.overlap", [](Config& c) { c.mirror.overlap = Seconds(8); },
         [](S s) { return s.overlap == Seconds(8); }},
        {"mirror.settle", [](Config& c) { c.mirror.settle = Seconds(9); },
         [](S s) { return s.settle == Seconds(9); }},
        {"mirror.recheck_ages", [](Config& c) { c.mirror.recheck_ages = {Seconds(10)}; },
         [](S s) { return s.recheck_ages == std::vector<Seconds>{Seconds(10)}; }},
        {"mirror.sweep", [](Config& c) { c.mirror.sweep.reset(); },
         [](S s) { return !s.sweep.has_value(); }},
        {"privacy.keep", [](Config& c) { c.privacy.keep = Seconds(13 * 86400); },
         [](S s) { return s.keep == Seconds(13 * 86400); }},
        {"streams.NAME.poll_interval",
         [](Config& c) { c.streams[stream_names().front()].poll_interval = Seconds(12); },
         [](S s) { return s.poll_interval == Seconds(12); }},
    };
    return all;
}

// One in which every key differs from the defaults.
Config everything_else() {
    Config config;
    for (const Changeable& one : changeable_settings()) {
        one.change(config);
    }
    config.api.url = "https://example.com/v3";
    config.api.auth_url = "https://example.com/";
    config.api.token_file = "token";
    config.api.ca_file = "ca.pem";
    config.api.proxy = "none";
    config.api.proxy_password_file = "word";
    config.api.time_zone = "America/New_York";
    config.api.page_size = 500;
    config.api.connections = 2;
    config.api.requests_per_day = 1000;
    config.mirror.database = "other.db";
    config.mirror.streams = {"clicks"};
    config.mirror.start = LocalTime{};
    config.streams["clicks"].start = LocalTime{};
    config.streams["clicks"].indexes.emplace();
    config.mirror.give_up_after = Seconds(11);
    config.mirror.indexes = {};
    config.mirror.open_rules = "rules.toml";
    config.privacy.kept = {Privacy::Addresses::none, Privacy::UserAgents::none};
    config.metrics.listen = ListenAddress{};
    config.log.level = "debug";
    config.log.format = "json";
    return config;
}

}  // namespace

TEST_CASE("run settings: what is announced to take effect does") {
    for (const Changeable& one : changeable_settings()) {
        CAPTURE(one.key);
        Config in_force;
        sync::Settings settings = settings_of(Command::run, in_force, streams().front());
        CHECK_FALSE(one.in_effect(settings));
        Config read;
        one.change(read);
        CHECK(compare(in_force, read).takes_effect == std::vector<std::string>{one.key});
        apply(in_force, read);
        adopt(settings, in_force, streams().front());
        CHECK(one.in_effect(settings));
        CHECK(one.in_effect(settings_of(Command::sync, read, streams().front())));
    }
}

TEST_CASE("run settings: nothing else is announced") {
    std::vector<std::string> known{"log.level"};
    for (const Changeable& one : changeable_settings()) {
        known.push_back(one.key);
    }
    const ConfigChange change = compare(Config{}, everything_else());
    std::vector<std::string> announced = change.takes_effect;
    std::sort(announced.begin(), announced.end());
    std::sort(known.begin(), known.end());
    CHECK(announced == known);
    CHECK(change.takes_effect.size() + change.needs_restart.size() + change.not_for_run.size() ==
          config_keys().size());
}

TEST_CASE("run settings: a stream has its own start and interval, or those of all") {
    Config config;
    config.mirror.poll_interval = Seconds(60);
    config.mirror.start = LocalTime(Seconds(1'000'000));
    config.streams["clicks"].start = LocalTime(Seconds(2'000'000));
    config.streams["clicks"].poll_interval = Seconds(300);
    const sync::Settings clicks = settings_of(Command::run, config, *find_stream("clicks"));
    CHECK(clicks.start == LocalTime(Seconds(2'000'000)));
    CHECK(clicks.poll_interval == Seconds(300));
    CHECK(clicks.idle_poll_interval == Seconds(300));
    const sync::Settings others = settings_of(Command::run, config, *find_stream("errors"));
    CHECK(others.start == LocalTime(Seconds(1'000'000)));
    CHECK(others.poll_interval == Seconds(60));
}

TEST_CASE("run settings: which streams a command works on") {
    Config config;
    config.mirror.streams = {"mailings", "clicks"};
    CommandLine line;
    CHECK(chosen_streams(line, config) ==
          std::vector<const Stream*>{find_stream("clicks"), find_stream("mailings")});
    line.streams = {"errors"};
    CHECK(chosen_streams(line, config) == std::vector<const Stream*>{find_stream("errors")});
}

TEST_CASE("run settings: how far apart polls may be") {
    using namespace std::chrono_literals;
    Config config;
    config.mirror.poll_interval = Seconds(60);
    config.mirror.idle_poll_interval.reset();
    config.api.requests_per_day = 0;
    CHECK(longest_pause(config) == 60s);
    config.mirror.idle_poll_interval = Seconds(900);
    CHECK(longest_pause(config) == 900s);
    config.mirror.idle_poll_interval = Seconds(10);  // shorter than between polls: not in effect
    CHECK(longest_pause(config) == 60s);
    config.api.requests_per_day = 100;
    CHECK(longest_pause(config) == 1152s);  // three quarters of them are polls
    config.mirror.streams = {"impressions", "clicks", "errors"};
    CHECK(longest_pause(config) == 3456s);  // of three streams
}

TEST_CASE("run settings: only the commands that end give up") {
    const Config config;
    CHECK_FALSE(settings_of(Command::run, config, streams().front()).give_up_after);
    CHECK(settings_of(Command::sync, config, streams().front()).give_up_after ==
          config.mirror.give_up_after);
    Config read;
    read.mirror.give_up_after = Seconds(1);
    CHECK(compare(config, read).takes_effect.empty());
    CHECK(compare(config, read).needs_restart.empty());
    CHECK(compare(config, read).not_for_run == std::vector<std::string>{"mirror.give_up_after"});
}
