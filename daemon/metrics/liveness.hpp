// Whether the process works at all: what /livez answers.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/service/storage_progress.hpp"
#include "storage/sqlite/activity.hpp"

namespace mirror::daemon {

/// How long the storage has stood still. Pure.
class StandstillCounter {
  public:
    /// A look at the storage, `interval` after the last.
    void look(const storage::Activity& now);

    /// True if it has not moved in several looks: one disk access may take long.
    bool stands_still() const;

  private:
    StorageProgress progress_;
    int looks_without_progress_ = 0;
};

/// Looks at the storage by a timer of the loop. That the loop moves shows in the answer itself.
/// The API, the token and how far behind the mirror is do not matter: a restart would not help.
class Liveness {
  public:
    /// `activity` must outlive it.
    Liveness(const boost::asio::any_io_executor& executor,
             std::function<storage::Activity()> activity);

    /// Nothing if all is well.
    std::optional<std::string> why_not() const;

    /// Nothing keeps the loop running any more.
    void close();

  private:
    void wait();

    boost::asio::steady_timer timer_;
    std::function<storage::Activity()> activity_;
    StandstillCounter counter_;
    bool closed_ = false;
};

}  // namespace mirror::daemon
