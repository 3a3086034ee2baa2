// Comparing what the API counts with what the file holds, and finding where they differ.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "core/plan/unread_window.hpp"
#include "core/sync/run_context.hpp"
#include "core/sync/store.hpp"
#include "core/time/window.hpp"

namespace mirror::sync {

/// A place where the API and the file do not agree: a few seconds, where it was read.
struct AuditPlace {
    Window window;
    std::uint64_t missing = 0;  ///< records that the file lacks
    std::uint64_t gone = 0;     ///< rows that the API does not show any more
    std::uint64_t changed = 0;  ///< rows with other values
};

struct AuditReport {
    std::uint64_t api = 0;   ///< what the API counts in the periods that could be counted
    std::uint64_t file = 0;  ///< what the file holds of them, before any repair
    std::vector<AuditPlace> places;
    std::uint64_t pruned = 0;
    std::uint64_t requests = 0;
    bool repaired = false;  ///< every place was read whole and stored, and the counts agree now
    std::vector<plan::UnreadWindow> unread;  ///< could not be read
    WindowSet uncovered;           ///< not complete in the file, so there was nothing to compare
    bool nothing_covered = false;  ///< nor in any other part of the period
    Written written;

    bool agrees() const {
        return !nothing_covered && unread.empty() && (places.empty() || repaired);
    }
};

struct AuditOptions {
    bool repair = false;
    bool prune = false;  ///< with repair
};

/// One audit. Pieces are cut only where the file has no rows around, so that the meaning of the
/// API's bounds cannot matter; a piece whose counts differ is halved, and read when it holds a
/// page or less or cannot be cut.
class Audit {
  public:
    Audit(RunContext& context, AuditOptions options) : context_(context), options_(options) {}

    /// `covered` is what is compared: a gap is not a difference. Throws what ends a run.
    boost::asio::awaitable<AuditReport> run(WindowSet covered);

  private:
    struct CountedRange {
        Window window;
        std::uint64_t file = 0;
        std::uint64_t api = 0;
    };

    boost::asio::awaitable<void> examine_period(Window period);
    boost::asio::awaitable<void> examine(CountedRange piece);
    boost::asio::awaitable<std::optional<CountedRange>> counted(Window window);
    boost::asio::awaitable<std::uint64_t> count_in_file(Window window);
    boost::asio::awaitable<std::optional<Instant>> quiet(Window window, RowFreeNear near);
    boost::asio::awaitable<void> settle_places();
    boost::asio::awaitable<void> verify_counts();
    void add_places(const std::vector<RowDifference>& differences);

    RunContext& context_;
    AuditOptions options_;

    AuditReport report_;
    WindowSet to_read_;                    // pieces that differ, or cannot be counted
    std::vector<Window> counted_periods_;  // first pieces that differed, to be counted again
};

}  // namespace mirror::sync
