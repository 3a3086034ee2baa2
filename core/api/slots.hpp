// A number of places, and a queue before them.
#pragma once

#include <cstddef>
#include <list>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace mirror::api {

/// Lets at most so many in at a time, in the order in which they came. One thread.
class Slots {
  public:
    explicit Slots(std::size_t size) : free_(size) {}
    Slots(const Slots&) = delete;
    Slots& operator=(const Slots&) = delete;

    /// A place, given back when it is destroyed. Not to outlive the Slots.
    class Place {
      public:
        explicit Place(Slots* slots) : slots_(slots) {}
        Place(Place&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}
        Place& operator=(Place&&) = delete;
        ~Place() {
            if (slots_ != nullptr) {
                slots_->give_back();
            }
        }

      private:
        Slots* slots_;
    };

    /// Waits for a place. Throws boost::system::system_error (operation_aborted) when cancelled.
    boost::asio::awaitable<Place> take();

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

}  // namespace mirror::api
