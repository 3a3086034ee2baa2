#include "core/plan/unread_ledger.hpp"

#include <doctest/doctest.h>

using namespace mirror;
using namespace mirror::plan;

namespace {

Window w(int begin, int end) {
    return {Instant(Seconds(begin)), Instant(Seconds(end))};
}

std::vector<UnreadWindow> failed(const Window& window, const char* why = "503") {
    return {UnreadWindow{window, why}};
}

}  // namespace

TEST_CASE("unread: what fails is kept with its reason, and postponed") {
    UnreadLedger ledger;
    CHECK(ledger.note(failed(w(10, 20)), WindowSet(w(0, 10))));
    CHECK(ledger.unread() == failed(w(10, 20)));
    CHECK(ledger.postponed().windows() == std::vector{w(10, 20)});
}

TEST_CASE("unread: it is forgotten when it is covered, but not while it waits") {
    UnreadLedger ledger;
    CHECK(ledger.note(failed(w(10, 20)), WindowSet{}));
    // Covered by another command, say, while this one has not asked again.
    CHECK_FALSE(ledger.note({}, WindowSet(w(0, 30))));
    CHECK(ledger.unread().size() == 1);
    ledger.retry_postponed();
    CHECK(ledger.note({}, WindowSet(w(0, 19))));
    CHECK(ledger.unread().size() == 1);
    CHECK(ledger.note({}, WindowSet(w(0, 20))));
    CHECK(ledger.unread().empty());
}

TEST_CASE("unread: what fails again replaces what failed before") {
    UnreadLedger ledger;
    CHECK(ledger.note(failed(w(10, 20)), WindowSet{}));
    ledger.retry_postponed();
    CHECK(ledger.note(failed(w(12, 14), "timed out"), WindowSet(w(0, 12))));
    CHECK(ledger.unread() == failed(w(12, 14), "timed out"));
}

TEST_CASE("unread: a new failure does not put off what waits already") {
    UnreadLedger ledger;
    CHECK(ledger.note(failed(w(10, 20)), WindowSet{}));
    CHECK_FALSE(ledger.note(failed(w(40, 50)), WindowSet{}));
    CHECK(ledger.unread().size() == 2);
    CHECK(ledger.postponed().windows() == std::vector{w(10, 20), w(40, 50)});
    // The same again is one.
    CHECK_FALSE(ledger.note(failed(w(40, 50)), WindowSet{}));
    CHECK(ledger.unread().size() == 2);
}
