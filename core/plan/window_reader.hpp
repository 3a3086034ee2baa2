// Reading one window whole, page by page, without trusting order or bounds. Pure: it says what to
// ask next and judges what came.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/copernica/page.hpp"
#include "core/copernica/page_query.hpp"
#include "core/plan/count_curve.hpp"
#include "core/plan/id_index.hpp"
#include "core/record/records.hpp"
#include "core/time/window.hpp"
#include "core/time/zone.hpp"

namespace mirror::plan {

/// One attempt at a window, page by page, each of which begins with the last record of the one
/// before. It is whole if it has as many distinct records as the first reply's `total` says, and,
/// if that took several pages, no offsets moved and the end of the list was seen.
class WindowReader {
  public:
    enum class Verdict {
        read_on,    ///< ask query() next
        whole,      ///< every record is there
        not_whole,  ///< the records do not add up: read again, or narrower
        too_many,   ///< the total is above most_records: narrow(), cut, or ask query() next
    };

    struct Request {
        Window window;                                      ///< ends aligned (Zone::align_down)
        std::uint32_t page_size = copernica::largest_page;  ///< `limit`
        std::uint64_t most_records = UINT64_MAX;  ///< a total beyond it is told as too_many
    };

    WindowReader(const Zone& zone, const Request& request);

    /// From now on, asks for so many records in a page.
    void limit_pages(std::uint32_t size);

    /// What to ask now.
    const copernica::PageQuery& query() const { return query_; }

    /// How far the timestamps of a right reply may lie outside of the query's bounds.
    Seconds slack() const { return slack_; }

    /// Takes the reply to query(), one that is plainly right.
    Verdict accept(copernica::Page page);

    /// What the first reply said; nothing before it.
    std::optional<std::uint64_t> total() const { return total_; }

    /// Distinct records so far.
    std::uint64_t received() const { return places_.size() + nameless_; }

    /// Records that the first reply counted and that are still to come.
    std::uint64_t left() const {
        return total_.value_or(0) - std::min(received(), total_.value_or(0));
    }

    /// Makes the window end at another time and keeps what was read of it: if the list is in the
    /// order of time, what was read also begins the list of the other window. The next reply counts
    /// that one, and the proof is the same. Returns the new window; nothing, and no change, if that
    /// is not possible. It holds about so many rows then, more than are known; if that takes a
    /// later end, this is `latest_end` at the most, and eight times as wide as it was.
    std::optional<Window> move_end(std::uint64_t rows, Instant latest_end);
    /// The same, to nearly all that is known.
    std::optional<Window> narrow_to_known();

    /// Every record once, as it was seen last. Once, after `whole`.
    Records take_records();

  private:
    using Place = IdIndex::Place;

    /// How the list runs, by its records in the order in which they came first.
    class TimeOrder {
      public:
        void saw(LocalTime time);
        /// A few records may be late.
        bool runs_forward() const;
        /// Nothing before the first record.
        std::optional<LocalTime> latest() const { return latest_; }

      private:
        std::optional<LocalTime> first_;
        std::optional<LocalTime> latest_;
        std::size_t earlier_ = 0;  // than one that came before
        std::size_t records_ = 0;
    };

    bool is_plain() const;
    bool may_move_end() const;
    bool may_end_at(Instant end) const;
    std::optional<Window> end_at(Instant end);
    void forget_from(LocalTime end);
    Verdict judge_page(const copernica::PageQuery& asked, std::size_t records, std::uint64_t fresh);
    bool begins_with_last_record(const copernica::Page& page) const;
    std::uint64_t keep(copernica::Page page, bool drop_first);
    void forget(const Place& place);
    void ask_next(const copernica::Page& page);

    const Zone& zone_;
    Request request_;
    Seconds slack_{0};
    copernica::PageQuery first_query_;
    copernica::PageQuery query_;

    Records records_;
    std::size_t pages_ = 0;  // replies that are in there
    IdIndex places_;
    TimeOrder time_order_;
    std::uint64_t nameless_ = 0;  // records without a usable ID, each counted
    std::optional<std::uint64_t> total_;
    CountCurve curve_;              // of the totals up to each end that the window had
    std::size_t longest_page_ = 0;  // the server's page may be shorter than what was asked

    // The last record of the page before, to see whether offsets moved.
    std::optional<std::int64_t> last_id_;
    std::string last_reject_;
    bool overlap_asked_ = false;  // the reply to query_ should begin with that record

    bool crowded_ = false;  // the reply at hand counts more than most_records
};

}  // namespace mirror::plan
