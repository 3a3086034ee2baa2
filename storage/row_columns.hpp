// The columns of a stream's table, from the stream's description.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "core/record/stream.hpp"

namespace mirror::storage {

/// A column between the ID and `extra`, and where its value is.
struct RowColumn {
    enum class Source {
        timestamp,
        integer,  ///< Row::integers
        text,     ///< Row::texts
        entry,    ///< the number of Row::entries in its dictionary
    };
    std::string_view name;
    Source source;
    std::size_t slot;
};

/// In the order of the stream's fields. Texts of one dictionary entry share a column.
std::vector<RowColumn> row_columns(const Stream& stream);

}  // namespace mirror::storage
