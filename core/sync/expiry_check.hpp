// Tells rows that have expired at the API from those that were removed there.
#pragma once

#include <optional>

#include <boost/asio/awaitable.hpp>

#include "core/sync/run_context.hpp"
#include "core/sync/store.hpp"
#include "core/time/instant.hpp"
#include "core/time/window.hpp"

namespace mirror::sync {

/// For one set of windows. In a first load, the file has no old rows, and this costs nothing; else
/// a look at the file for each old window, and some requests if oldest rows are missing.
class ExpiryCheck {
  public:
    ExpiryCheck(RunContext& context, const WindowSet& todo);

    /// Before the first window is fetched. Only the first call asks the file.
    boost::asio::awaitable<void> begin();

    /// Sets `expired_before` of a window if rows of it may have expired: its oldest row is missing,
    /// and the API shows nothing older.
    boost::asio::awaitable<void> judge(WholeWindow& whole);

  private:
    boost::asio::awaitable<bool> shows_none(Window older);

    RunContext& context_;
    Window period_;  // from the first window to the end of the last
    bool begun_ = false;
    std::optional<bool> any_old_rows_;       // nothing: the file has not answered yet
    std::optional<Instant> shown_before_;    // the API shows something before this
    std::optional<Instant> nothing_before_;  // and nothing before this
};

}  // namespace mirror::sync
