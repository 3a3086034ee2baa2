#include "core/util/semaphore.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace mirror {

namespace asio = boost::asio;

// In the queue for as long as it lives, or until it is granted a place.
class Semaphore::Queued {
  public:
    Queued(Semaphore& slots, Waiter& waiter) : slots_(slots), waiter_(waiter) {
        slots_.queue_.push_back(&waiter_);
    }
    ~Queued() { slots_.queue_.remove(&waiter_); }
    Queued(const Queued&) = delete;
    Queued& operator=(const Queued&) = delete;

  private:
    Semaphore& slots_;
    Waiter& waiter_;
};

asio::awaitable<Semaphore::Permit> Semaphore::take() {
    if (free_ > 0) {
        --free_;
        co_return Permit(this);
    }
    Waiter waiter(co_await asio::this_coro::executor);
    waiter.timer.expires_at(asio::steady_timer::time_point::max());
    const Queued queued(*this, waiter);
    co_await waiter.timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (!waiter.granted) {
        throw boost::system::system_error(asio::error::operation_aborted);
    }
    co_return Permit(this);
}

void Semaphore::give_back() {
    if (queue_.empty()) {
        ++free_;
        return;
    }
    Waiter* const next = queue_.front();
    queue_.pop_front();
    next->granted = true;
    next->timer.cancel();
}

}  // namespace mirror
