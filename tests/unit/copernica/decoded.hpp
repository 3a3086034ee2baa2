// What a PageDecoder makes of a body, for its tests.
#pragma once

#include <cstddef>
#include <string>

#include "core/copernica/page_decoder.hpp"

namespace mirror::tests {

/// A page of impressions, fed in pieces of that many bytes.
copernica::Page decode(const std::string& body, std::size_t piece = 1 << 20,
                       const copernica::PageLimits& limits = {});

/// A page with one record: `fields` and, unless they say otherwise, an ID and a timestamp.
copernica::Page decode_fields(const std::string& fields);

}  // namespace mirror::tests
