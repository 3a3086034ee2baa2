#include "daemon/config/config_change.hpp"

#include <algorithm>
#include <functional>
#include <string>

#include "daemon/config/stream_choice.hpp"

namespace mirror::daemon {
namespace {

struct Key {
    const char* name = nullptr;
    std::function<bool(const Config&, const Config&)> same;
    /// Nothing: needs a restart.
    std::function<void(Config&, const Config&)> apply;
    bool used_by_run = true;
};

template <typename Part, typename Value>
Key fixed(const char* name, Part Config::*part, Value Part::*value) {
    const auto same = [=](const Config& left, const Config& right) {
        return left.*part.*value == right.*part.*value;
    };
    return {name, same, {}, true};
}

template <typename Part, typename Value>
Key changeable(const char* name, Part Config::*part, Value Part::*value) {
    Key key = fixed(name, part, value);
    key.apply = [=](Config& in_force, const Config& read) {
        in_force.*part.*value = read.*part.*value;
    };
    return key;
}

template <typename Part, typename Value>
Key not_for_run(const char* name, Part Config::*part, Value Part::*value) {
    Key key = changeable(name, part, value);
    key.used_by_run = false;
    return key;
}

// A key of [streams.NAME], of whichever stream.
template <typename Value>
Key of_streams(const char* name, Value Config::StreamOptions::*value, bool takes_effect) {
    const auto of = [=](const Config& config, const std::string& stream) {
        return config.of_stream(stream).*value;
    };
    Key key;
    key.name = name;
    key.same = [=](const Config& left, const Config& right) {
        const auto& all = stream_names();
        return std::all_of(all.begin(), all.end(), [&](const std::string& stream) {
            return of(left, stream) == of(right, stream);
        });
    };
    if (takes_effect) {
        key.apply = [=](Config& in_force, const Config& read) {
            for (const std::string& stream : stream_names()) {
                const Value now = of(read, stream);
                if (of(in_force, stream) != now) {
                    in_force.streams[stream].*value = now;
                }
            }
        };
    }
    return key;
}

const std::vector<Key>& keys() {
    using C = Config;
    static const std::vector<Key> all{
        fixed("api.url", &C::api, &C::Api::url),
        fixed("api.auth_url", &C::api, &C::Api::auth_url),
        fixed("api.token_file", &C::api, &C::Api::token_file),
        fixed("api.ca_file", &C::api, &C::Api::ca_file),
        fixed("api.proxy", &C::api, &C::Api::proxy),
        fixed("api.proxy_password_file", &C::api, &C::Api::proxy_password_file),
        fixed("api.time_zone", &C::api, &C::Api::time_zone),
        fixed("api.page_size", &C::api, &C::Api::page_size),
        fixed("api.connections", &C::api, &C::Api::connections),
        changeable("api.requests_per_second", &C::api, &C::Api::requests_per_second),
        fixed("api.requests_per_day", &C::api, &C::Api::requests_per_day),
        fixed("mirror.database", &C::mirror, &C::Mirror::database),
        fixed("mirror.streams", &C::mirror, &C::Mirror::streams),
        fixed("mirror.start", &C::mirror, &C::Mirror::start),
        changeable("mirror.poll_interval", &C::mirror, &C::Mirror::poll_interval),
        changeable("mirror.idle_poll_interval", &C::mirror, &C::Mirror::idle_poll_interval),
        changeable("mirror.overlap", &C::mirror, &C::Mirror::overlap),
        changeable("mirror.settle", &C::mirror, &C::Mirror::settle),
        changeable("mirror.recheck_ages", &C::mirror, &C::Mirror::recheck_ages),
        changeable("mirror.sweep", &C::mirror, &C::Mirror::sweep),
        not_for_run("mirror.give_up_after", &C::mirror, &C::Mirror::give_up_after),
        fixed("mirror.indexes", &C::mirror, &C::Mirror::indexes),
        {"mirror.open_rules",
         [](const C& left, const C& right) {
             return left.mirror.open_rules == right.mirror.open_rules &&
                    left.open_rules == right.open_rules;
         },
         {},
         true},
        of_streams("streams.NAME.start", &C::StreamOptions::start, false),
        of_streams("streams.NAME.poll_interval", &C::StreamOptions::poll_interval, true),
        of_streams("streams.NAME.indexes", &C::StreamOptions::indexes, false),
        changeable("privacy.keep", &C::privacy, &C::Privacy::keep),
        // Rows that were fetched are on their way into the file by the rule of before.
        {"privacy.ip",
         [](const C& left, const C& right) {
             return left.privacy.kept.ip == right.privacy.kept.ip;
         },
         {},
         true},
        {"privacy.useragent",
         [](const C& left, const C& right) {
             return left.privacy.kept.useragent == right.privacy.kept.useragent;
         },
         {},
         true},
        {"metrics.listen",
         [](const C& left, const C& right) {
             const auto text = [](const std::optional<ListenAddress>& where) {
                 return where ? where->address + " " + std::to_string(where->port) : "";
             };
             return text(left.metrics.listen) == text(right.metrics.listen);
         },
         {},
         true},
        changeable("log.level", &C::log, &C::Log::level),
        fixed("log.format", &C::log, &C::Log::format),
    };
    return all;
}

}  // namespace

ConfigChange compare(const Config& in_force, const Config& read) {
    ConfigChange change;
    for (const Key& key : keys()) {
        if (key.same(in_force, read)) {
            continue;
        }
        if (!key.used_by_run) {
            change.not_for_run.emplace_back(key.name);
        } else {
            (key.apply ? change.takes_effect : change.needs_restart).emplace_back(key.name);
        }
    }
    return change;
}

void apply(Config& in_force, const Config& read) {
    for (const Key& key : keys()) {
        if (key.apply) {
            key.apply(in_force, read);
        }
    }
}

std::vector<std::string> compared_keys() {
    std::vector<std::string> names;
    for (const Key& key : keys()) {
        names.emplace_back(key.name);
    }
    return names;
}

}  // namespace mirror::daemon
