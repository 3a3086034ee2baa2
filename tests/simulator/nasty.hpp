// Records as no API should send them, and what a mirror must make of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/time/zone.hpp"
#include "tests/simulator/row.hpp"
#include "tests/simulator/streams.hpp"

namespace simulator {

struct NastyRow {
    std::string what;  ///< in words
    /// As it is sent, and as it must be read: a value of the wrong kind is NULL in its column.
    Row row;
    /// What the column `extra` must hold somewhere; empty: nothing in particular.
    std::string in_extra;
};

/// Each field of the stream with values of each wrong kind, texts of extreme contents and sizes,
/// keys that come twice, nested objects that are missing or are none. None may be lost. The IDs
/// begin with `first_id`; all happened at `at`.
std::vector<NastyRow> nasty_rows(StreamId stream, std::int64_t first_id, mirror::Instant at,
                                 const mirror::Zone& zone);

}  // namespace simulator
