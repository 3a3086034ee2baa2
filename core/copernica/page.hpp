// One reply of the API, decoded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/record/row.hpp"
#include "core/record/text_arena.hpp"
#include "core/record/text_pool.hpp"

namespace mirror::copernica {

/// What one reply says, decoded and not yet judged. Nothing of it counts before the reply's body
/// was complete.
struct Page {
    // The envelope; absent if the reply has no such field or no number in it.
    std::optional<std::uint64_t> start;
    std::optional<std::uint64_t> limit;
    std::optional<std::uint64_t> count;
    std::optional<std::uint64_t> total;

    std::vector<Row> rows;        ///< in the reply's order, without the rejects
    std::vector<Reject> rejects;  ///< ascending by position
    TextArena texts;
    std::shared_ptr<const TextPool> entries;  ///< of the rows: has their texts
    /// For people: an ID or a time that was read though it is not in the usual form, such as 'the
    /// ID "1.0"'; nothing if there is none. What the API wrote is in `extra`.
    std::optional<std::string> unusual_form;

    /// An ID that two records with the same time have, of which one is among the rejects
    /// (twins.hpp); nothing if there is none.
    std::optional<std::int64_t> twin;

    std::size_t records() const { return rows.size() + rejects.size(); }
};

}  // namespace mirror::copernica
