#include "core/plan/horizon.hpp"

#include <algorithm>

namespace mirror::plan {
namespace {

// What a retention of so many days drops, it drops once a day: the oldest row may be a day older.
constexpr std::chrono::hours a_day(24);

}  // namespace

Horizon with_proof(const Horizon& known, const HorizonProof& proof) {
    Horizon next = known;
    if (next.begin && proof.begin < *next.begin) {
        next.begin.reset();
        next.age.reset();
    }
    const bool shows_no_more = next.pending && proof.begin >= next.pending->begin;
    if (!shows_no_more) {
        next.pending = proof;
        return next;
    }
    if (proof.at - next.pending->at < between_proofs) {
        return next;
    }
    next.begin = std::max(next.begin.value_or(next.pending->begin), next.pending->begin);
    next.age = proof.at - proof.begin;
    next.pending.reset();
    return next;
}

std::optional<Instant> first_shown(const Horizon& known, Instant server_now) {
    std::optional<Instant> first = known.begin;
    const auto not_before = [&first](Instant at) { first = std::max(first.value_or(at), at); };
    if (known.pending) {
        not_before(known.pending->begin);
    }
    if (known.begin && known.age) {
        not_before(std::min(server_now - *known.age + a_day, server_now - least_retention));
    }
    return first;
}

std::optional<Window> unshown_if_expired(const FirstRecords& first, Instant first_shown,
                                         Instant old_enough) {
    const bool is_shown = first.api && *first.api <= first.file;
    if (is_shown || first.file < first_shown || first.file >= old_enough) {
        return std::nullopt;
    }
    return Window{first_shown, first.file};
}

Instant expired_before(const FirstRecords& first, Instant old_enough) {
    return std::min(old_enough, first.api.value_or(old_enough));
}

bool confirmation_due(const Horizon& known, Instant server_now) {
    return known.pending && server_now - known.pending->at >= between_proofs;
}

}  // namespace mirror::plan
