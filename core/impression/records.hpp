// All records of one window, each once.
#pragma once

#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

#include "core/impression/impression.hpp"
#include "core/impression/packed_rows.hpp"

namespace mirror {

struct Records {
    PackedRows rows;
    std::vector<Reject> rejects;

    std::size_t size() const { return rows.size() + rejects.size(); }

    /// Adds what a page holds; its rows' texts are copied, its rejects moved.
    void add(Page page) {
        rows.add(page.rows);
        rejects.insert(rejects.end(), std::make_move_iterator(page.rejects.begin()),
                       std::make_move_iterator(page.rejects.end()));
    }
};

}  // namespace mirror
