// The service manager (systemd) as the program sees it: it gets status lines, and may want a
// keep-alive from time to time.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace mirror::daemon {

class ServiceManager {
  public:
    virtual ~ServiceManager() = default;

    /// Lines "NAME=value", as sd_notify(3) has them. Does nothing if no manager listens; a
    /// message that is lost is not an error.
    virtual void notify(const std::string& lines) = 0;

    /// How long it waits for "WATCHDOG=1" before it restarts the service; nothing: it does not
    /// watch.
    virtual std::optional<std::chrono::microseconds> watchdog() const = 0;
};

/// The one that the environment names ($NOTIFY_SOCKET, $WATCHDOG_USEC), through libsystemd; one
/// that does nothing if there is none, or if the program was built without libsystemd.
std::unique_ptr<ServiceManager> make_service_manager();

}  // namespace mirror::daemon
