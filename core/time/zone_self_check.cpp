#include "core/time/zone_self_check.hpp"

#include <cstdlib>
#include <ctime>

#include "core/time/text.hpp"

namespace mirror {
namespace {

constexpr Instant first = std::chrono::sys_days{std::chrono::year(1996) / 1 / 1};
constexpr Instant last = std::chrono::sys_days{std::chrono::year(2041) / 1 / 1};

// The C library's zone, as long as it lives.
class LibcZone {
  public:
    explicit LibcZone(const std::string& name) {
        if (const char* const before = std::getenv("TZ")) {
            before_ = before;
        }
        setenv("TZ", (":" + name).c_str(), 1);
        tzset();
    }

    ~LibcZone() {
        if (before_) {
            setenv("TZ", before_->c_str(), 1);
        } else {
            unsetenv("TZ");
        }
        tzset();
    }

    LibcZone(const LibcZone&) = delete;
    LibcZone& operator=(const LibcZone&) = delete;

    LocalTime to_local(Instant at) const {
        const std::time_t seconds = at.time_since_epoch().count();
        std::tm local{};
        localtime_r(&seconds, &local);
        return LocalTime(at.time_since_epoch() + Seconds(local.tm_gmtoff));
    }

  private:
    std::optional<std::string> before_;
};

}  // namespace

std::optional<std::string> zone_differs_from_libc(const Zone& zone) {
    const LibcZone libc(zone.name());
    std::optional<Instant> differs;
    const auto agree = [&](Instant at) {
        if (!differs && zone.to_local(at) != libc.to_local(at)) {
            differs = at;
        }
        return !differs;
    };
    for (Instant at = first; at < last && agree(at);) {
        at += std::chrono::days(1);
    }
    for (auto change = zone.next_change(first); change && *change < last && !differs;
         change = zone.next_change(*change)) {
        agree(*change - Seconds(1));
        agree(*change);
    }
    if (!differs) {
        return std::nullopt;
    }
    return "the time zone " + zone.name() + " is read in two ways on this system: at " +
           format_utc(*differs) + " its clocks show " + format_local(zone.to_local(*differs)) +
           " for this program and " + format_local(libc.to_local(*differs)) +
           " for the C library; install the system's zone files (tzdata) again";
}

}  // namespace mirror
