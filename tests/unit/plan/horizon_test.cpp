#include "core/plan/horizon.hpp"

#include <vector>

#include <doctest/doctest.h>

#include "core/plan/count_check.hpp"

using namespace mirror;
using namespace mirror::plan;
using namespace std::chrono_literals;

namespace {

constexpr Instant start = std::chrono::sys_days{std::chrono::year(2026) / 11 / 1};

// So many hours after `start`.
Instant at(int hours) {
    return start + std::chrono::hours(hours);
}

HorizonProof proof(int begin, int hours) {
    return {at(begin), at(hours)};
}

}  // namespace

TEST_CASE("horizon: two proofs on two days move it, and nothing else does") {
    struct Row {
        std::vector<HorizonProof> proofs;
        std::optional<Instant> begin;
        bool pending;
    };
    const Row rows[] = {
        {{}, std::nullopt, false},
        {{proof(-720, 0)}, std::nullopt, true},
        // Within a day a second proof changes nothing, however often it comes.
        {{proof(-720, 0), proof(-720, 1), proof(-719, 19)}, std::nullopt, true},
        {{proof(-720, 0), proof(-720, 20)}, at(-720), false},
        {{proof(-720, 0), proof(-696, 24)}, at(-720), false},
        {{proof(-720, 0), proof(-700, 10), proof(-696, 24)}, at(-720), false},
        // The API shows more of the past than it did: the first proof was none.
        {{proof(-168, 0), proof(-720, 24)}, std::nullopt, true},
        {{proof(-168, 0), proof(-720, 24), proof(-696, 48)}, at(-720), false},
        // A week later: one day, and the next.
        {{proof(-720, 0), proof(-696, 24), proof(-552, 168)}, at(-720), true},
        {{proof(-720, 0), proof(-696, 24), proof(-552, 168), proof(-528, 192)}, at(-552), false},
        // What was taken for expired is shown again.
        {{proof(-720, 0), proof(-696, 24), proof(-1440, 168)}, std::nullopt, true},
    };
    for (const Row& row : rows) {
        CAPTURE(&row - rows);
        Horizon known;
        for (const HorizonProof& one : row.proofs) {
            known = with_proof(known, one);
        }
        CHECK(known.begin == row.begin);
        CHECK(known.pending.has_value() == row.pending);
    }
}

TEST_CASE("horizon: what may have expired moves on between two proofs") {
    Horizon known;
    CHECK_FALSE(first_shown(known, at(0)).has_value());
    known = with_proof(known, proof(-720, 0));
    CHECK(first_shown(known, at(0)) == at(-720));
    CHECK_FALSE(confirmation_due(known, at(19)));
    CHECK(confirmation_due(known, at(20)));
    known = with_proof(known, proof(-696, 24));
    CHECK_FALSE(confirmation_due(known, at(1000)));
    // 720 hours old when it was proven; less a day, since what expires goes once a day.
    CHECK(first_shown(known, at(24)) == at(-672));
    CHECK(first_shown(known, at(24 + 168)) == at(-672 + 168));
    // Never what is too young to have expired.
    Horizon young;
    young = with_proof(young, proof(-150, 0));
    young = with_proof(young, proof(-126, 24));
    CHECK(first_shown(young, at(24)) == at(24) - least_retention);
}

TEST_CASE("counts: once a week, and a day after a proof that waits for a second one") {
    const Horizon none;
    const Horizon pending = with_proof(none, proof(-720, 0));
    CHECK(count_due({false, std::nullopt}, none, at(0)));
    CHECK(count_due({false, at(0)}, none, at(1)));
    CHECK(count_due({true, std::nullopt}, none, at(0)));
    CHECK_FALSE(count_due({true, at(0)}, none, at(1)));
    CHECK_FALSE(count_due({true, at(0)}, none, at(167)));
    CHECK(count_due({true, at(0)}, none, at(168)));
    CHECK_FALSE(count_due({true, at(0)}, pending, at(19)));
    CHECK(count_due({true, at(0)}, pending, at(20)));
    // A clock that was a year ahead does not put it off for a year.
    CHECK(count_due({true, at(24 * 365)}, none, at(0)));
}

TEST_CASE("horizon: the file's first record of a window may have expired") {
    struct Row {
        FirstRecords first;
        std::optional<Window> unshown;
    };
    // What is before -720 counts as expired, and nothing from -144 on can have expired.
    const Row rows[] = {
        {{at(-700), std::nullopt}, Window{at(-720), at(-700)}},
        {{at(-700), at(-699)}, Window{at(-720), at(-700)}},
        {{at(-700), at(-700)}, std::nullopt},  // it is shown
        {{at(-700), at(-710)}, std::nullopt},  // and so is an older one, which the file lacks
        {{at(-721), std::nullopt}, std::nullopt},
        {{at(-720), std::nullopt}, Window{at(-720), at(-720)}},
        {{at(-145), std::nullopt}, Window{at(-720), at(-145)}},
        {{at(-144), std::nullopt}, std::nullopt},
    };
    for (const Row& row : rows) {
        CAPTURE(row.first.file - start);
        CHECK(unshown_if_expired(row.first, at(-720), at(-144)) == row.unshown);
    }
    // What is later than a row that is shown has not expired.
    CHECK(expired_before({at(-700), std::nullopt}, at(-144)) == at(-144));
    CHECK(expired_before({at(-700), at(-600)}, at(-144)) == at(-600));
    CHECK(expired_before({at(-700), at(-100)}, at(-144)) == at(-144));
}
