// Canaries for a token, a JWT and a password; failures with them, and the search for them in all
// that others could see.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "tests/end_to_end/scene.hpp"
#include "tests/simulator/fault.hpp"

namespace mirror::test {

// Two halves that no encoding but base64 and hexadecimal changes, so that half a canary is found,
// too; between them what has to be encoded in a URL.
inline const std::string first_half = "CnQ7zR4mLkT9wXv2";
inline const std::string second_half = "bYs8dHf6GpJ3uVe5";
inline const std::string canary = first_half + " /+&%41#=?~\xc3\xa9\"" + second_half;

/// What the token service makes of it while its clock stands at present().
std::string canary_jwt();

/// What is wrong with the text, in words; empty if no canary is in it.
std::string leak_in(const std::string& where, const std::string& text);

/// /proc/PID/cmdline and the like of running programs.
class Looks {
  public:
    void look(pid_t process);
    std::string seen() const;

  private:
    mutable std::mutex mutex_;
    std::string seen_;
};

simulator::Behaviour with_canary();

struct Failure {
    std::string name;
    /// Makes things go wrong.
    std::function<void(Scene&)> arrange;
    int code = 1;  ///< -1: any
    std::vector<std::string> command = {"sync"};
    simulator::ServerOptions server = {};
    bool version_4 = false;  ///< with a JWT
};

/// Runs the command, in both formats of the log, and searches all that others could see.
std::string play(const Failure& failure);

std::function<void(Scene&)> always(simulator::Fault fault);
/// Impressions alone: identity is answered.
std::function<void(Scene&)> page(simulator::Fault fault);
simulator::Fault raw(std::string bytes);
/// Edits every record of the replies, as JSON.
std::function<void(Scene&)> records(const std::string& in_place_of, const std::string& text);

}  // namespace mirror::test
