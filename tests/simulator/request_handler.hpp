// What a server does about a request, and needs no socket for: rules, hooks, answers.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulator/account.hpp"
#include "tests/simulator/behaviour.hpp"
#include "tests/simulator/bookkeeping.hpp"
#include "tests/simulator/clock.hpp"
#include "tests/simulator/deliver.hpp"
#include "tests/simulator/fault.hpp"
#include "tests/simulator/request.hpp"

namespace simulator {

/// handle() belongs to the server's thread, where rules and hooks run, too; all else may be called
/// from any thread.
class RequestHandler {
  public:
    /// Runs on the server's thread; the request is understood, the token checked.
    using Hook = std::function<void(const Request&)>;

    RequestHandler(Account& account, Behaviour behaviour, Bookkeeping& books);

    Behaviour behaviour() const;
    void change(const std::function<void(Behaviour&)>& edit);
    ServerClock& clock() { return clock_; }

    void set_rule(Rule rule);
    void set_before(Hook hook);
    void set_after(Hook hook);

    /// Understands, answers and logs a request, which is the connection's one of that number
    /// from 1.
    Exchange handle(Request& request, bool keep_alive, std::uint64_t served);

    /// What a mirror's view of the stream must hold by the server's present time.
    std::vector<Values> truth(StreamId stream) const;

  private:
    bool over_the_rate(const Behaviour& behaviour);
    std::optional<std::string> date(const Request& request, const Behaviour& behaviour) const;

    Account& account_;
    Bookkeeping& books_;
    ServerClock clock_;

    mutable std::mutex mutex_;  // of what follows up to after_
    Behaviour behaviour_;
    Rule rule_;
    Hook before_;
    Hook after_;

    // Of the server's thread.
    std::deque<std::chrono::steady_clock::time_point> recent_;
};

}  // namespace simulator
