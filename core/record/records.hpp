// All records of one window, each once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <utility>
#include <vector>

#include "core/record/packed_rows.hpp"
#include "core/record/row.hpp"

namespace mirror {

struct Records {
    PackedRows rows;
    std::vector<Reject> rejects;
    /// IDs that several of the rows have, which differ in their times. Nearly always none.
    std::vector<std::int64_t> repeated_ids;

    std::size_t size() const { return rows.size() + rejects.size(); }

    /// Adds what a page holds; the rows' texts are copied, the rejects moved.
    void add(std::span<const Row> page_rows, std::vector<Reject> page_rejects) {
        rows.add(page_rows);
        rejects.insert(rejects.end(), std::make_move_iterator(page_rejects.begin()),
                       std::make_move_iterator(page_rejects.end()));
    }
};

}  // namespace mirror
