// A configuration file: understood as a whole, or refused with its place.
#include "daemon/config/config.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

#include "core/time/zone.hpp"
#include "core/util/printable.hpp"
#include "daemon/process/usage_error.hpp"
#include "tests/fuzz/target.hpp"

namespace mirror::fuzz {
namespace {

// A file in memory.
class File {
  public:
    explicit File(std::string_view text) : descriptor_(::memfd_create("config", MFD_CLOEXEC)) {
        while (!text.empty()) {
            const ssize_t written = ::write(descriptor_, text.data(), text.size());
            if (written <= 0) {
                throw std::runtime_error("no file in memory");
            }
            text.remove_prefix(static_cast<std::size_t>(written));
        }
    }
    ~File() { ::close(descriptor_); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

  private:
    int descriptor_;
};

bool is_one_of(const std::string& value, const std::vector<std::string>& choices) {
    return std::find(choices.begin(), choices.end(), value) != choices.end();
}

void check_values(const daemon::Config& config) {
    constexpr Seconds longest(std::int64_t{100} * 366 * 86400);
    const auto between = [](auto value, auto least, auto most) {
        return least <= value && value <= most;
    };
    require(between(config.api.page_size, 1U, 1000U), "page_size");
    require(between(config.api.connections, 1U, 64U), "connections");
    require(between(config.api.requests_per_second, 1U, 1'000'000U), "requests_per_second");
    require(between(config.mirror.poll_interval, Seconds(1), longest), "poll_interval");
    require(between(config.mirror.overlap, Seconds(0), longest), "overlap");
    require(between(config.mirror.settle, Seconds(1), longest), "settle");
    require(between(config.mirror.give_up_after, Seconds(0), longest), "give_up_after");
    for (const Seconds age : config.mirror.recheck_ages) {
        require(between(age, Seconds(1), longest), "recheck_ages");
    }
    for (const std::string& index : config.mirror.indexes) {
        require(is_one_of(index, storage::optional_indexes()), "indexes");
    }
    require(!config.mirror.database.empty(), "database");
    require(is_one_of(config.log.level, daemon::log_levels()), "level");
    require(is_one_of(config.log.format, daemon::log_formats()), "format");
    const Zone zone(config.api.time_zone);
    if (config.mirror.start) {
        require(between(std::chrono::year_month_day(
                            std::chrono::floor<std::chrono::days>(*config.mirror.start))
                            .year(),
                        std::chrono::year(0), std::chrono::year(9999)),
                "start");
        zone.earliest(*config.mirror.start);
    }
}

}  // namespace

void config(std::string_view input) {
    const File file(input);
    try {
        check_values(daemon::read_config(file.path()));
    } catch (const daemon::UsageError& refused) {
        const std::string why = refused.what();
        require(why.starts_with(file.path() + ":"), "a refusal names no file: " + why);
        require(printable(why, why.size()) == why,
                "a refusal is not one line fit for a terminal: " + why);
    }
}

}  // namespace mirror::fuzz
