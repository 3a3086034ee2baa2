// Texts that people and programs put into mails and headers to break the page that shows them.
#pragma once

#include <string>
#include <vector>

#include "tests/simulator/account.hpp"

namespace simulator {

/// HTML and script, SVG, both directions of writing, words without a break, emoji, control
/// characters.
const std::vector<std::string>& hostile_texts();

/// Gives them to every user agent, device, subject, sender and description of the account in turn.
void make_hostile(Account& account);

}  // namespace simulator
