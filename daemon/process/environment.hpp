// What surrounds the process, read once at the top and handed down.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>

#include "core/time/clock.hpp"
#include "daemon/service/service_manager.hpp"

namespace mirror::daemon {

struct Environment {
    Environment(std::ostream& standard_out, std::ostream& standard_err, Clock& machine_clock)
        : out(standard_out), err(standard_err), clock(machine_clock) {}

    /// A user who owns nothing.
    static constexpr uid_t nobody = 65534;

    std::ostream& out;  ///< results
    std::ostream& err;  ///< everything else
    Clock& clock;

    uid_t effective_user = nobody;
    bool is_root() const { return effective_user == 0; }
    bool out_is_terminal = false;
    bool err_is_terminal = false;
    /// Of the terminal at standard error, as wide as it is now.
    std::function<std::size_t()> err_columns = [] { return std::size_t{80}; };
    bool no_color = false;                    ///< $NO_COLOR is set and not empty
    bool err_is_journal = false;              ///< $JOURNAL_STREAM names standard error
    std::string commit;                       ///< of the program's sources; empty: not known
    std::optional<std::string> access_token;  ///< $COPERNICA_ACCESS_TOKEN
    std::optional<std::filesystem::path> credentials_directory;  ///< $CREDENTIALS_DIRECTORY
    std::optional<std::string> https_proxy;  ///< $https_proxy, else $HTTPS_PROXY
    std::optional<std::string> no_proxy;     ///< $no_proxy, else $NO_PROXY
    /// Who is told how a service is doing.
    std::shared_ptr<ServiceManager> service_manager = make_service_manager();
    std::filesystem::path default_config = "/etc/copernica-mirror/config.toml";
};

}  // namespace mirror::daemon
