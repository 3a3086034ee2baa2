// Verification: periods that were taken for empty, and the API's count against the file's.
#pragma once

#include <cstdint>
#include <optional>

#include <boost/asio/awaitable.hpp>

#include "core/plan/horizon.hpp"
#include "core/sync/outcome.hpp"
#include "core/sync/run_context.hpp"
#include "core/time/window.hpp"

namespace mirror::sync {

/// Reads again what turns out to be wrong, and adds what cannot be settled to the outcome.
class Verifier {
  public:
    /// `postponed` is left alone; all three must outlive it.
    Verifier(RunContext& context, const WindowSet& postponed, Outcome& outcome)
        : context_(context), postponed_(postponed), outcome_(outcome) {}

    /// The tail reads what is later all the time: it is not read again here.
    void leave_to_tail(Instant from) { tail_from_ = from; }

    /// Asks once more about what was taken for empty, now that the API has shown rows since.
    boost::asio::awaitable<void> verify_emptiness(Window period);

    /// Compares the API's count of everything from `begin` on with the file's; if they differ,
    /// finds and repairs the place. Writes to the file whether they agree.
    /// If the API does not show the oldest rows any more, it compares from the first one shown on,
    /// and takes note of that horizon.
    boost::asio::awaitable<void> compare_counts(Instant begin);

    /// Whether everything is to be counted again by now.
    boost::asio::awaitable<bool> count_is_due();

  private:
    struct Counts {
        LocalTime last{};                  ///< the end of what was counted
        std::uint64_t file = 0;            ///< before the next tail
        std::optional<std::uint64_t> api;  ///< nothing: it does not count so long a period
    };

    WindowSet without_tail(WindowSet windows) const;
    boost::asio::awaitable<void> seek_horizon(Instant begin);
    boost::asio::awaitable<void> note_agreement();
    boost::asio::awaitable<Counts> count_both(Instant begin);
    boost::asio::awaitable<WindowSet> shown_by_now(WindowSet empty);
    boost::asio::awaitable<std::optional<bool>> anything_or_uncovered();
    boost::asio::awaitable<bool> agrees_since(LocalTime row, Instant end);
    boost::asio::awaitable<bool> catch_up_and_compare(Instant begin);
    boost::asio::awaitable<void> repair_counts(int round, Window period);

    RunContext& context_;
    const WindowSet& postponed_;
    Outcome& outcome_;
    std::optional<Instant> tail_from_;
    bool shows_nothing_ = false;  // many replies said so

    // Of the comparison at hand.
    plan::Horizon horizon_;               // as the file knew it before
    std::optional<Instant> first_shown_;  // the API shows nothing before it
    bool horizon_sought_ = false;
    bool horizon_known_ = true;  // false: it was sought, and the API does not say
};

}  // namespace mirror::sync
