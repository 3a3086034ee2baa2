#include "tests/simulator/bookkeeping.hpp"

#include <utility>

namespace simulator {

void Bookkeeping::enter(Request& request, std::chrono::local_days today) {
    const std::lock_guard lock(mutex_);
    count_call(request, today);
    request.number = ++counters_.requests;
    request.call_number = ++calls_[static_cast<std::size_t>(request.call)];
    if (request.has_token()) {
        ++counters_.requests_with_token;
    }
    if (request.leaked) {
        ++counters_.leaked_tokens;
    }
}

void Bookkeeping::keep(LogEntry entry) {
    {
        const std::lock_guard lock(mutex_);
        counters_.rows += entry.rows;
        log_.push_back(std::move(entry));
        if (log_.size() > log_capacity_) {
            log_.pop_front();
        }
    }
    changed_.notify_all();
}

void Bookkeeping::count(const std::function<void(Counters&)>& edit) {
    {
        const std::lock_guard lock(mutex_);
        edit(counters_);
    }
    changed_.notify_all();
}

std::vector<LogEntry> Bookkeeping::log() const {
    const std::lock_guard lock(mutex_);
    return {log_.begin(), log_.end()};
}

Counters Bookkeeping::counters() const {
    const std::lock_guard lock(mutex_);
    return counters_;
}

void Bookkeeping::start_over() {
    const std::lock_guard lock(mutex_);
    log_.clear();
    calls_ = {};
    Counters counters;
    counters.connections = counters_.connections;
    counters.open_connections = counters_.open_connections;
    counters.handshakes_refused = counters_.handshakes_refused;
    counters_ = counters;
}

bool Bookkeeping::wait(const std::function<bool(const Counters&)>& condition,
                       std::chrono::milliseconds timeout) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout, [&] { return condition(counters_); });
}

// mutex_ is held.
void Bookkeeping::count_call(Request& request, std::chrono::local_days today) {
    if (!request.token_right) {
        return;
    }
    ++calls_by_day_[today];
    if (request.call == Call::consumption) {
        for (const auto& [day, calls] : calls_by_day_) {
            if (request.question.contains(day)) {
                request.api_calls += calls;
            }
        }
    }
}

}  // namespace simulator
