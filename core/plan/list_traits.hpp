// What replies have shown of the API's list: how far it follows time, and what an offset costs.
// Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>

#include "core/record/row.hpp"

namespace mirror::plan {

/// What the choice of a way to read depends on (see reading_way.hpp).
struct ListFacts {
    double disorder = 0;         ///< share of rows that are out of the order of time, 0 to 1
    double request_seconds = 0;  ///< what a request without an offset takes
    double skip_seconds = 0;     ///< what each row takes that `start` skips; 0: not to be seen
};

/// Learns these facts from replies. Only an economy: wrong facts cost requests, never rows.
class ListTraits {
  public:
    /// The rows of one page, in the order in which they came.
    void observe_rows(std::span<const Row> rows);

    /// A request that skipped so many rows took so long.
    void observe_request(std::uint64_t start, std::chrono::nanoseconds took);

    ListFacts facts() const;

  private:
    double rows_ = 0;  // of pages that can show an order
    double out_of_order_ = 0;

    // Of requests without an offset.
    double plain_ = 0;
    double plain_seconds_ = 0;

    // Of requests with one: seconds for each row skipped, and their squares, by what they weigh.
    double skips_ = 0;
    double skip_seconds_ = 0;
    double skip_squares_ = 0;
};

}  // namespace mirror::plan
