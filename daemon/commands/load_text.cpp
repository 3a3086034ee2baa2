#include "daemon/commands/load_text.hpp"

#include <filesystem>

#include <fmt/format.h>

#include "core/plan/load_estimate.hpp"
#include "storage/inspection.hpp"

namespace mirror::daemon {
namespace {

std::string room_text(const std::filesystem::path& database, std::uint64_t needed) {
    const auto room = storage::inspect(database).free_bytes;
    if (!room) {
        return "";
    }
    constexpr double megabyte = 1e6;
    return fmt::format("; {:.0f} MB are free there{}", static_cast<double>(*room) / megabyte,
                       *room < needed ? ", which is NOT ENOUGH" : "");
}

}  // namespace

std::string load_text(std::uint64_t rows, const Config& config) {
    plan::LoadSettings load;
    load.page_size = config.api.page_size;
    load.requests_per_second = config.api.requests_per_second;
    load.requests_per_day = config.api.requests_per_day;
    load.indexes = static_cast<unsigned>(config.mirror.indexes.size());
    const plan::LoadEstimate estimate = plan::estimate_load(rows, load);
    return plan::text_of(estimate, load) + room_text(config.mirror.database, estimate.bytes);
}

}  // namespace mirror::daemon
