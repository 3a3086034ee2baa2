// Instants in the file: whole UTC seconds since 1970.
#pragma once

#include <cstdint>

#include <SQLiteCpp/Column.h>

#include "core/time/instant.hpp"

namespace mirror::storage {

inline std::int64_t seconds(Instant at) {
    return at.time_since_epoch().count();
}

inline Instant instant(std::int64_t utc) {
    return Instant(Seconds(utc));
}

inline Instant instant(const SQLite::Column& column) {
    return instant(column.getInt64());
}

}  // namespace mirror::storage
