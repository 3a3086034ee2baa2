#include "tests/unit/daemon/check_fixture.hpp"

#include <algorithm>

#include <doctest/doctest.h>

namespace mirror::tests {

const daemon::Finding& named(const daemon::Findings& findings, std::string_view name) {
    const auto found = std::find_if(findings.begin(), findings.end(),
                                    [&](const daemon::Finding& f) { return f.name == name; });
    REQUIRE(found != findings.end());
    return *found;
}

std::vector<std::string> names_of(const daemon::Findings& findings) {
    std::vector<std::string> names;
    for (const daemon::Finding& finding : findings) {
        names.push_back(finding.name);
    }
    return names;
}

bool says(const daemon::Finding& finding, const std::string& words) {
    return (finding.detail + "\n" + finding.advice).find(words) != std::string::npos;
}

storage::Entry entry(mode_t mode) {
    storage::Entry made;
    made.exists = true;
    made.regular = true;
    made.mode = mode;
    made.owner = 1;
    made.group = 2;
    made.readable = true;
    made.writable = true;
    return made;
}

}  // namespace mirror::tests
