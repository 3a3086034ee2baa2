// What `run` reports to the service manager.
#pragma once

#include <map>
#include <string>

#include "core/sync/observer.hpp"
#include "core/time/clock.hpp"
#include "core/time/zone.hpp"
#include "daemon/service/service_manager.hpp"

namespace mirror::daemon {

/// Reports in this order: the file is being opened, READY, how things are (STATUS), STOPPING. All
/// calls come from one thread.
class ServiceReport final : public sync::Observer {
  public:
    /// Both must outlive it.
    ServiceReport(ServiceManager& manager, const Clock& clock, Zone zone);

    /// The file is still being opened; asks for more time to start. May be called often.
    void opening();
    /// File and configuration are open. The API has not been asked yet.
    void ready();
    /// The configuration is read again: before, and after.
    void reloading();
    void reloaded();
    /// Once, however often it is called.
    void stopping();
    /// Whether the storage seems to hang.
    void held_up(bool held_up);

    void following(const sync::Following& state) override;

  private:
    void tell();

    ServiceManager& manager_;
    const Clock& clock_;
    Zone zone_;
    std::optional<Monotonic> asked_for_time_;
    std::map<const Stream*, sync::Following> told_;  // by the stream that told it
    std::string status_;
    bool held_up_ = false;
    bool stopping_ = false;
};

/// One line for people: what is wrong and what to do, complete through when, how far behind, since
/// when; which stream, if it is `one_of_several`. Pure.
std::string service_status(const sync::Following& state, const Zone& zone,
                           bool one_of_several = false);

}  // namespace mirror::daemon
