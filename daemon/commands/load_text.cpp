#include "daemon/commands/load_text.hpp"

#include <filesystem>

#include <fmt/format.h>

#include "core/util/duration_text.hpp"
#include "daemon/cli/terminal_text.hpp"
#include "storage/inspection.hpp"

namespace mirror::daemon {
namespace {

constexpr double megabyte = 1e6;

}  // namespace

std::string estimate_text(const plan::LoadEstimate& estimate, const plan::LoadSettings& load) {
    std::string text = fmt::format(
        "about {}: {}, at least {} at {} a second, {:.0f} MB", counted(estimate.rows, "row"),
        counted(estimate.requests, "request"), duration_text(estimate.at_the_rate),
        load.requests_per_second, static_cast<double>(estimate.bytes) / megabyte);
    if (estimate.days > 1) {
        text += fmt::format("; a budget of {} requests a day makes that {} days",
                            grouped(load.requests_per_day), grouped(estimate.days));
    }
    return text;
}

plan::LoadSettings load_settings(const Config& config, const Stream& stream) {
    plan::LoadSettings load;
    load.page_size = config.api.page_size;
    load.requests_per_second = config.api.requests_per_second;
    load.requests_per_day = config.api.requests_per_day;
    const auto indexes = config.of_stream(stream.name).indexes.value_or(config.mirror.indexes);
    load.indexes = static_cast<unsigned>(indexes.size());
    return load;
}

std::string load_text(std::uint64_t rows, const Config& config, const Stream& stream) {
    const plan::LoadSettings load = load_settings(config, stream);
    const plan::LoadEstimate estimate = plan::estimate_load(rows, load);
    return estimate_text(estimate, load) + room_text(estimate.bytes, config);
}

std::string room_text(std::uint64_t needed_bytes, const Config& config) {
    const auto room = storage::inspect(config.mirror.database).free_bytes;
    if (!room) {
        return "";
    }
    return fmt::format("; {:.0f} MB are free there{}", static_cast<double>(*room) / megabyte,
                       *room < needed_bytes ? ", which is NOT ENOUGH" : "");
}

}  // namespace mirror::daemon
