// A number of places, and a queue before them.
#pragma once

#include <cstddef>
#include <list>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace mirror {

/// Lets at most so many in at a time, in the order in which they came. One thread.
class Semaphore {
  public:
    explicit Semaphore(std::size_t size) : free_(size) {}
    Semaphore(const Semaphore&) = delete;
    Semaphore& operator=(const Semaphore&) = delete;

    /// A place, given back when it is destroyed. Not to outlive the Semaphore.
    class Permit {
      public:
        explicit Permit(Semaphore* slots) : slots_(slots) {}
        Permit(Permit&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}
        Permit& operator=(Permit&&) = delete;
        ~Permit() {
            if (slots_ != nullptr) {
                slots_->give_back();
            }
        }

      private:
        Semaphore* slots_;
    };

    /// Waits for a place. Throws boost::system::system_error (operation_aborted) when cancelled.
    boost::asio::awaitable<Permit> take();

  private:
    struct Waiter {
        explicit Waiter(const boost::asio::any_io_executor& executor) : timer(executor) {}
        boost::asio::steady_timer timer;
        bool granted = false;
    };
    class Queued;

    void give_back();

    std::size_t free_;
    std::list<Waiter*> queue_;
};

}  // namespace mirror
