// A page as one text, for comparing.
#pragma once

#include <string>

#include "core/copernica/page.hpp"
#include "core/record/row.hpp"

namespace mirror::fuzz {

/// All that a page says: two pages with the same text are the same.
std::string text_of(const copernica::Page& page);

/// What holds of every page, whatever it was made of. Throws Broken.
void check_rows(const copernica::Page& page);

}  // namespace mirror::fuzz
