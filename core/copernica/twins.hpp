// Records of one page that have one ID and one time. Pure.
#pragma once

#include "core/copernica/page.hpp"
#include "core/record/stream.hpp"

namespace mirror::copernica {

/// Nobody promises that IDs are unique, but two rows with the same ID and the same time cannot be
/// told apart. One of them stays a row, the same one whatever their order is; the others become
/// rejects.
void set_twins_apart(const Stream& stream, Page& page);

}  // namespace mirror::copernica
