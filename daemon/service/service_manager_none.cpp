// In place of service_manager_systemd.cpp if the program is built without libsystemd.
#include "daemon/service/service_manager.hpp"

namespace mirror::daemon {
namespace {

class Nobody final : public ServiceManager {
  public:
    void notify(const std::string&) override {}
    std::optional<std::chrono::microseconds> watchdog() const override { return std::nullopt; }
};

}  // namespace

std::unique_ptr<ServiceManager> make_service_manager() {
    return std::make_unique<Nobody>();
}

}  // namespace mirror::daemon
