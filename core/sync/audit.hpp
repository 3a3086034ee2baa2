// Comparing what the API counts with what the file holds, and finding where they differ.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "core/copernica/page.hpp"
#include "core/plan/audit_plan.hpp"
#include "core/plan/unread_window.hpp"
#include "core/sync/run_context.hpp"
#include "core/sync/store.hpp"
#include "core/sync/window_sink.hpp"
#include "core/time/window.hpp"

namespace mirror::sync {

using plan::AuditPlace;

struct AuditReport {
    std::uint64_t api = 0;   ///< what the API counts in the periods that could be counted
    std::uint64_t file = 0;  ///< what the file holds of them, before any repair
    /// At most Audit::most_places; if more seconds differ, longer periods with all of them.
    std::vector<AuditPlace> places;
    std::uint64_t pruned = 0;
    /// Removed rows that were to be pruned and stay, since they are many and that was not asked
    /// for.
    std::uint64_t not_pruned = 0;
    std::uint64_t requests = 0;
    bool repaired = false;  ///< every place was read whole and stored, and the counts agree now
    std::vector<plan::UnreadWindow> unread;  ///< could not be read
    WindowSet uncovered;           ///< not complete in the file, so there was nothing to compare
    WindowSet withdrawn;           ///< was complete in the file before, and is not any more
    bool nothing_covered = false;  ///< nor in any other part of the period
    Written written;

    bool agrees() const {
        return !nothing_covered && unread.empty() && uncovered.empty() &&
               (places.empty() || repaired) && not_pruned == 0;
    }
};

struct AuditOptions {
    bool repair = false;
    bool prune = false;       ///< with repair
    bool prune_many = false;  ///< even if that deletes a large share of the rows
    /// Each period is counted as one at first, without its ends if there are rows around them:
    /// the fewest requests if nothing differs.
    bool as_one = false;
    /// What the API's bounds mean, if an audit has learned it before.
    std::optional<plan::BoundsMeaning> bounds;
};

/// One audit. Pieces are cut at any second once the meaning of the API's bounds is known, and
/// otherwise only if the file has no rows around, so that it cannot matter. A piece whose counts
/// differ is halved as long as that is cheaper than to read it.
class Audit {
  public:
    /// So many periods at the most are told of and lose their coverage.
    static constexpr std::size_t most_places = 48;

    Audit(RunContext& context, AuditOptions options) : context_(context), options_(options) {}

    /// `covered` is what is compared: a gap is not a difference. Throws what ends a run.
    boost::asio::awaitable<AuditReport> run(WindowSet covered);

    /// What it knows of the meaning of the API's bounds, after run().
    const std::optional<plan::BoundsMeaning>& bounds() const { return bounds_; }

  private:
    struct CountInFile {
        std::uint64_t records = 0;
        /// As few, or as many, if each reject without a time lies where it suits.
        std::uint64_t least = 0;
        std::uint64_t most = 0;
    };
    struct CountedRange {
        Window window;
        CountInFile file;
        std::uint64_t api = 0;
        bool may_agree() const { return file.least <= api && api <= file.most; }
        /// The count of the file that is nearest to the API's.
        std::uint64_t nearest() const { return std::clamp(api, file.least, file.most); }
    };

    boost::asio::awaitable<void> learn_bounds(const WindowSet& covered);
    boost::asio::awaitable<std::optional<copernica::Page>> shown_between(LocalTime begin,
                                                                         LocalTime end);
    boost::asio::awaitable<void> examine_period(Window period);
    boost::asio::awaitable<std::vector<Window>> first_pieces(Window window);
    boost::asio::awaitable<std::optional<Instant>> cut_of(Window window);
    boost::asio::awaitable<void> examine(CountedRange piece);
    boost::asio::awaitable<std::optional<CountedRange>> counted(Window window);
    boost::asio::awaitable<CountInFile> count_in_file(Window window);
    boost::asio::awaitable<void> examine_doubtful(Window counted, std::vector<CountedRange> pieces);
    boost::asio::awaitable<std::optional<Instant>> quiet(Window window, RowFreeNear near);
    boost::asio::awaitable<void> settle_places();
    boost::asio::awaitable<void> read_pieces(ComparingSink& sink);
    boost::asio::awaitable<void> prune(const WindowSet& read);
    boost::asio::awaitable<void> verify_counts();
    boost::asio::awaitable<void> withdraw_coverage();
    bool is_plain_between(LocalTime first, LocalTime last) const;
    void leave_to_read(const Window& window, std::uint64_t rows);
    void add_places(const std::vector<RowDifference>& differences);

    RunContext& context_;
    AuditOptions options_;

    AuditReport report_;
    std::optional<plan::BoundsMeaning> bounds_;
    // Pieces that differ, or cannot be counted, with the rows that the file has there.
    std::vector<std::pair<Window, std::uint64_t>> to_read_;
    std::vector<Window> counted_periods_;  // first pieces that differed, to be counted again
};

}  // namespace mirror::sync
