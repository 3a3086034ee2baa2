// What tests of whole runs share.
#pragma once

#include "core/copernica/api.hpp"
#include "core/time/window.hpp"
#include "core/time/zone.hpp"
#include "tests/support/times.hpp"
#include "tests/unit/sync/world.hpp"

#define CHECK_EXACT(world) CHECK((world).difference() == "")

namespace mirror::tests {

inline const Instant noon = utc("2026-06-01 12:00:00");

/// The bounds' meanings, and the orders, drawn from a number below 48.
void choose_behaviour(Model& model, unsigned behaviour);

/// Rows from `begin` to `end`, a third of them in a few bursts.
void fill(Model& model, Instant begin, Instant end, int rows, unsigned seed);

/// A server that always fails for what touches a period.
void fail_within(FakeApi& api, Zone zone, Window bad, copernica::ErrorKind kind, int status);

}  // namespace mirror::tests
