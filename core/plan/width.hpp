// How wide the next window should be. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "core/time/instant.hpp"

namespace mirror::plan {

/// Aims windows at a number of rows, from the totals just seen: enough rows to fill pages, few
/// enough to lose little at a kill. Over emptiness the width grows to eight times that of a window
/// seen, so that ten empty years cost a few requests and one busy hour behind them is not run into
/// too hard.
class WidthPlanner {
  public:
    /// Before anything is known.
    static constexpr Seconds first_width{3600};
    static constexpr std::int64_t most_growth = 8;

    explicit WidthPlanner(std::uint64_t rows_wanted);

    /// Before anything is known of a period of this width: a thousandth of it is a better guess
    /// than an hour if it is longer than that. No effect once a window was observed.
    void expect_period(Seconds width);

    /// A run that was stopped has seen pages that held so much: windows begin with less than one,
    /// so that a run that is stopped soon, too, gets on. No effect once a window was observed.
    void expect_page(Seconds width);

    /// What a page of so many rows holds, as far as it is known.
    std::optional<Seconds> page_width(std::uint32_t page_size) const;

    /// The width to take next, at least one second.
    Seconds next() const;

    /// Whether the next window's answer decides how wide the one after it should be: then several
    /// at a time would only ask for little several times.
    bool exploring() const { return growing_ && (!limit_ || width_ < *limit_); }

    /// A window of this width holds this many rows.
    void observe(Seconds width, std::uint64_t rows);

    /// A window of this width was served to its end.
    void served(Seconds width);

    /// A window of this width could not be served (refused, timed out): stay below. The limit
    /// is lifted step by step while windows at the limit succeed.
    void refuse(Seconds width);

    /// The limit that refuse() has set, and what was served since.
    std::optional<Seconds> limit() const { return limit_; }
    /// Not the width was at fault, after all: back to what limit() was before.
    void restore(std::optional<Seconds> limit);

    std::uint64_t rows_wanted() const { return rows_wanted_; }

    /// From now on windows are to hold so many rows: the width changes in proportion.
    void want(std::uint64_t rows);

  private:
    std::uint64_t rows_wanted_;
    Seconds width_ = first_width;
    bool observed_ = false;
    bool expects_page_ = false;
    bool growing_ = true;  // the next window is expected to hold little
    std::optional<Seconds> limit_;
    int served_at_limit_ = 0;
};

}  // namespace mirror::plan
