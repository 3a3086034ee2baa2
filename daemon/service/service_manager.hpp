// The service manager (systemd) as the program sees it: it is told how things are, and may want to
// hear from time to time that we live.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace mirror::daemon {

class ServiceManager {
  public:
    virtual ~ServiceManager() = default;

    /// Lines "NAME=value", as sd_notify(3) has them. Goes nowhere where nobody asked to be told;
    /// what does not arrive is lost, and no error.
    virtual void notify(const std::string& lines) = 0;

    /// How long it waits for "WATCHDOG=1" before it takes us for dead; nothing: it does not watch.
    virtual std::optional<std::chrono::microseconds> watchdog() const = 0;
};

/// The one that the environment names ($NOTIFY_SOCKET, $WATCHDOG_USEC), through libsystemd; one
/// that hears nothing where there is none, or the program was built without libsystemd.
std::unique_ptr<ServiceManager> make_service_manager();

}  // namespace mirror::daemon
