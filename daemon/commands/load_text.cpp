#include "daemon/commands/load_text.hpp"

#include <filesystem>

#include <fmt/format.h>

#include "core/util/duration_text.hpp"
#include "daemon/cli/terminal_text.hpp"
#include "storage/inspection.hpp"

namespace mirror::daemon {
namespace {

constexpr double megabyte = 1e6;

std::string room_text(const std::filesystem::path& database, std::uint64_t needed) {
    const auto room = storage::inspect(database).free_bytes;
    if (!room) {
        return "";
    }
    return fmt::format("; {:.0f} MB are free there{}", static_cast<double>(*room) / megabyte,
                       *room < needed ? ", which is NOT ENOUGH" : "");
}

}  // namespace

std::string estimate_text(const plan::LoadEstimate& estimate, const plan::LoadSettings& load) {
    std::string text = fmt::format(
        "about {} rows: {} requests, at least {} at {} a second, {:.0f} MB", grouped(estimate.rows),
        grouped(estimate.requests), duration_text(estimate.at_the_rate), load.requests_per_second,
        static_cast<double>(estimate.bytes) / megabyte);
    if (estimate.days > 1) {
        text += fmt::format("; a budget of {} requests a day makes that {} days",
                            grouped(load.requests_per_day), grouped(estimate.days));
    }
    return text;
}

std::string load_text(std::uint64_t rows, const Config& config) {
    plan::LoadSettings load;
    load.page_size = config.api.page_size;
    load.requests_per_second = config.api.requests_per_second;
    load.requests_per_day = config.api.requests_per_day;
    load.indexes = static_cast<unsigned>(config.mirror.indexes.size());
    const plan::LoadEstimate estimate = plan::estimate_load(rows, load);
    return estimate_text(estimate, load) + room_text(config.mirror.database, estimate.bytes);
}

}  // namespace mirror::daemon
