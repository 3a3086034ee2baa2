// What the API says is kept as it says it, with one exception: the token.
#pragma once

#include "core/copernica/api.hpp"
#include "core/record/row.hpp"
#include "core/util/secret.hpp"

namespace mirror::copernica {

/// Takes the secret out of all texts of the page. A server may put it there: a field with the URL
/// of the record, say. What is stored, and may be read by many, must not hold it.
void mask(Page& page, const Secret& secret);

/// The same for the account's ID and name.
void mask(Identity& identity, const Secret& secret);

}  // namespace mirror::copernica
