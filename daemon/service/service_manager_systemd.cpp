// libsystemd's part of it.
#include <cstdint>
#include <systemd/sd-daemon.h>

#include "daemon/service/service_manager.hpp"

namespace mirror::daemon {
namespace {

// libsystemd reads the environment itself. It stays as it is: no program is started from here.
constexpr int keep_environment = 0;

class Systemd final : public ServiceManager {
  public:
    void notify(const std::string& lines) override { sd_notify(keep_environment, lines.c_str()); }

    std::optional<std::chrono::microseconds> watchdog() const override {
        std::uint64_t microseconds = 0;
        if (sd_watchdog_enabled(keep_environment, &microseconds) <= 0) {
            return std::nullopt;
        }
        return std::chrono::microseconds(microseconds);
    }
};

}  // namespace

std::unique_ptr<ServiceManager> make_service_manager() {
    return std::make_unique<Systemd>();
}

}  // namespace mirror::daemon
