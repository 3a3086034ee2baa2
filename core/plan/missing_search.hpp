// Finds the few records of a window that reading by time has passed by, without reading it again.
// Pure: it says what to ask next and judges what came.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/copernica/page_query.hpp"
#include "core/time/zone.hpp"

namespace mirror::plan {

/// Cuts the window's period into pieces of less than a page, at seconds without a known record, so
/// that the meaning of bounds cannot matter. Halves of them are counted: if the API counts more
/// than is known, something is missing. A single piece is read. At the end the whole window is
/// counted again, so that a record that was logged meanwhile cannot stand in for one that is
/// missing.
class MissingSearch {
  public:
    /// `times` of all known records, in any order; `missing` is above 0. Nothing if reading the
    /// window again costs no more, or if there are too few seconds to cut at.
    static std::optional<MissingSearch> plan(const copernica::PageQuery& whole,
                                             std::vector<LocalTime> times, std::uint64_t missing,
                                             const Zone& zone);

    /// What to ask now.
    const copernica::PageQuery& query() const { return query_; }

    enum class Verdict {
        ask_on,  ///< ask query() next
        found,   ///< nothing is missing, if the number of records is what was counted at first
        lost,    ///< the counts do not add up
    };

    /// Takes what the reply to query() says: its total, and how many of its records were new.
    Verdict accept(std::uint64_t total, std::uint64_t fresh);

  private:
    // Pieces [first, last), and how many records of them are not known.
    struct Range {
        std::size_t first = 0;
        std::size_t last = 0;
        std::uint64_t missing = 0;
    };

    MissingSearch(const copernica::PageQuery& whole, std::uint64_t missing)
        : whole_(whole), query_(whole), counted_(missing) {}

    Verdict ask_next();
    std::uint64_t known(std::size_t first, std::size_t last) const;
    Range left_half() const;

    copernica::PageQuery whole_;
    copernica::PageQuery query_;
    std::uint64_t counted_;              // records of the window, known and missing
    std::vector<LocalTime> cuts_;        // where pieces begin and end
    std::vector<std::uint64_t> before_;  // known records before each cut
    std::vector<Range> ranges_;          // to be looked into, the next one last
    bool counting_again_ = false;
};

}  // namespace mirror::plan
