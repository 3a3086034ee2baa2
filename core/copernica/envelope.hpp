// The fields around the records of a reply.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/copernica/page.hpp"

namespace mirror::copernica {

enum class EnvelopeField { start, limit, count, total, data, error, unknown };

inline EnvelopeField envelope_field_of(std::string_view key) {
    return key == "data"    ? EnvelopeField::data
           : key == "start" ? EnvelopeField::start
           : key == "limit" ? EnvelopeField::limit
           : key == "count" ? EnvelopeField::count
           : key == "total" ? EnvelopeField::total
           : key == "error" ? EnvelopeField::error
                            : EnvelopeField::unknown;
}

/// Sets one of the numbers; nothing if the reply has no number there.
inline void set_field(Page& page, EnvelopeField field, std::optional<std::uint64_t> number) {
    switch (field) {
        case EnvelopeField::start:
            page.start = number;
            break;
        case EnvelopeField::limit:
            page.limit = number;
            break;
        case EnvelopeField::count:
            page.count = number;
            break;
        case EnvelopeField::total:
            page.total = number;
            break;
        case EnvelopeField::data:
        case EnvelopeField::error:
        case EnvelopeField::unknown:
            break;
    }
}

}  // namespace mirror::copernica
