// What the program ends with: a contract with scripts and with systemd.
#pragma once

namespace mirror::daemon {

enum class ExitCode {
    done = 0,
    api = 1,        ///< the API could not be reached, kept failing or refused the request
    usage = 2,      ///< usage, configuration, no token at all
    token = 3,      ///< the token was refused, or belongs to another account
    database = 4,   ///< locked, full, damaged, newer, no permission, absent
    not_whole = 5,  ///< a window could not be completed, or counts disagree
    internal = 70,  ///< an error of the program itself, or no resources (EX_SOFTWARE)
    interrupted = 130,
    terminated = 143,
};

}  // namespace mirror::daemon
