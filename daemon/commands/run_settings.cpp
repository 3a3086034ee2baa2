#include "daemon/commands/run_settings.hpp"

#include <algorithm>
#include <optional>

#include "daemon/config/stream_choice.hpp"

namespace mirror::daemon {

std::vector<const Stream*> chosen_streams(const CommandLine& line, const Config& config) {
    return streams_named(line.streams.empty() ? config.mirror.streams : line.streams);
}

sync::Settings settings_of(Command command, const Config& config, const Stream& stream) {
    sync::Settings settings{Zone(config.api.time_zone)};
    const Config::StreamOptions options = config.of_stream(stream.name);
    if (const auto start = options.start ? options.start : config.mirror.start) {
        settings.start = *start;
    }
    settings.page_size = config.api.page_size;
    settings.connections = config.api.connections;
    settings.requests_per_day = config.api.requests_per_day;
    if (command == Command::run) {
        settings.give_up_after = std::nullopt;
    } else {
        settings.give_up_after = config.mirror.give_up_after;
    }
    adopt(settings, config, stream);
    return settings;
}

void adopt(sync::Settings& settings, const Config& config, const Stream& stream) {
    settings.requests_per_second = config.api.requests_per_second;
    const Config::StreamOptions options = config.of_stream(stream.name);
    settings.poll_interval = options.poll_interval.value_or(config.mirror.poll_interval);
    // A stream that is asked for rarely is not to be asked for more often while nothing comes.
    settings.idle_poll_interval = std::max(
        settings.poll_interval, config.mirror.idle_poll_interval.value_or(settings.poll_interval));
    settings.overlap = config.mirror.overlap;
    settings.settle = config.mirror.settle;
    settings.recheck_ages = config.mirror.recheck_ages;
    settings.sweep = config.mirror.sweep;
    settings.keep = config.privacy.keep;
}

}  // namespace mirror::daemon
