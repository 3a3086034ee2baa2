// The oldest moment that the API still shows, if an account drops old statistics. Pure.
#pragma once

#include <optional>

#include "core/time/instant.hpp"
#include "core/time/window.hpp"

namespace mirror::plan {

/// Accounts keep their statistics for a week at least: nothing younger than this is taken for
/// expired.
inline constexpr Seconds least_retention = std::chrono::hours(24 * 6);

/// Two proofs that are so far apart are proofs of two days.
inline constexpr Seconds between_proofs = std::chrono::hours(20);

/// At one moment the API showed nothing before `begin`, and from it on as much as the file has.
struct HorizonProof {
    Instant begin{};
    Instant at{};  ///< by the server's clock
    friend bool operator==(const HorizonProof&, const HorizonProof&) = default;
};

/// What is known of the horizon; all absent: the API shows everything, as far as is known.
struct Horizon {
    std::optional<Instant> begin;         ///< proven on two days: the API shows nothing before it
    std::optional<Seconds> age;           ///< how old the first shown moment was at the last proof
    std::optional<HorizonProof> pending;  ///< proven on one day, and to be proven again
    friend bool operator==(const Horizon&, const Horizon&) = default;
};

/// What is known after one more proof. A proof alone moves nothing: it waits for a second one, a
/// day later, that shows no more of the past. If the API shows rows again that are older than the
/// horizon, there is none until it is proven anew.
Horizon with_proof(const Horizon& known, const HorizonProof& proof);

/// Rows before this moment may have expired: if the API does not return them, they do not
/// count as removed. The horizon itself stands still between two proofs, so its age counts as well,
/// less a day. Nothing: no row has expired.
std::optional<Instant> first_shown(const Horizon& known, Instant server_now);

/// A whole read of an old window: when the file's first record there was logged, and when the first
/// one that the API showed; nothing: it showed none.
struct FirstRecords {
    Instant file{};
    std::optional<Instant> api;
};

/// If the file's first record may have expired: the period of which the API shows nothing then.
/// Nothing: it has not. `first_shown`: what is before it counts as expired anyway. `old_enough`:
/// nothing from this moment on can have expired.
std::optional<Window> unshown_if_expired(const FirstRecords& first, Instant first_shown,
                                         Instant old_enough);

/// If the API shows nothing of that period: what is before this moment may have expired.
Instant expired_before(const FirstRecords& first, Instant old_enough);

/// Whether a second proof is due.
bool confirmation_due(const Horizon& known, Instant server_now);

}  // namespace mirror::plan
