#include "core/sync/sweep.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/plan/sweep.hpp"
#include "core/sync/gap_filler.hpp"
#include "core/sync/horizon.hpp"
#include "core/sync/metadata.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

namespace {

// A step is read in so many pieces at the most, so that an end in between loses little.
constexpr int most_pieces = 8;
constexpr Seconds least_piece{3600};

asio::awaitable<std::optional<plan::SweepState>> load_state(Store& store) {
    const std::optional<std::string> began = co_await store.fact(metadata::sweep_began);
    const std::optional<std::string> position = co_await store.fact(metadata::sweep_position);
    const std::optional<std::string> read_at = co_await store.fact(metadata::sweep_read_at);
    const auto began_at = metadata::read_instant(began);
    const auto reached = metadata::read_instant(position);
    const auto last = metadata::read_instant(read_at);
    if (!began_at || !reached || !last) {
        co_return std::nullopt;
    }
    co_return plan::SweepState{*began_at, *reached, *last};
}

asio::awaitable<void> store_state(Store& store, plan::SweepState state) {
    std::map<std::string, std::string> facts;
    facts[metadata::sweep_began] = metadata::seconds_text(state.began);
    facts[metadata::sweep_position] = metadata::seconds_text(state.position);
    facts[metadata::sweep_read_at] = metadata::seconds_text(state.read_at);
    co_await store.set_facts(std::move(facts));
}

// From the first moment that the API shows and that was not erased to the newest periods, which
// rechecks read.
asio::awaitable<Window> all_to_sweep(RunContext& context) {
    const std::optional<Instant> first = co_await first_shown(context);
    const Instant now = context.client.server_now();
    Seconds last_age{0};
    for (const Seconds age : context.settings.recheck_ages) {
        last_age = std::max(last_age, age);
    }
    Window all = context.everything();
    const WindowSet covered = co_await context.store.coverage(0);
    if (!covered.empty()) {
        all.begin = std::max(all.begin, covered.windows().front().begin);
    }
    all.begin = std::max(all.begin, first.value_or(all.begin));
    all.end = context.settings.zone.align_down(std::min(all.end, now - last_age));
    co_return all;
}

std::vector<Window> pieces_of(const Window& window, const Zone& zone) {
    const Seconds width = std::max(window.width() / most_pieces, least_piece);
    std::vector<Window> pieces;
    for (Instant begin = window.begin; begin < window.end;) {
        const Instant end = std::min(zone.align_up(begin + width), window.end);
        pieces.push_back({begin, end});
        begin = end;
    }
    return pieces;
}

}  // namespace

asio::awaitable<void> sweep(RunContext& context, std::optional<Monotonic> stop_after,
                            const WindowSet& postponed, Outcome& outcome) {
    const std::optional<Seconds> within = context.settings.sweep;  // a reload may change it
    if (!within) {
        co_return;
    }
    const Window all = co_await all_to_sweep(context);
    if (all.empty()) {
        co_return;
    }
    const std::optional<plan::SweepState> state = co_await load_state(context.store);
    const std::optional<plan::SweepStep> step =
        plan::next_sweep(state, all, context.client.server_now(), *within);
    if (!step) {
        co_return;
    }
    const Zone& zone = context.settings.zone;
    const Window due{zone.align_down(step->window.begin), zone.align_up(step->window.end)};
    WindowSet sound(due);
    co_await leave_out_suspected(context, sound);
    if (sound != WindowSet(due)) {
        co_return;
    }
    const WindowSet covered = co_await context.store.coverage(0);
    for (const Window& piece : pieces_of(due, zone)) {
        if (stop_after && context.client.monotonic() >= *stop_after) {
            co_return;
        }
        // What is not covered yet is a gap, and read as one.
        FillRequest request(covered.within(piece));
        request.todo.subtract(postponed);
        request.stop_after = stop_after;
        co_await fill_gaps(context, std::move(request), outcome);
        if (stop_after && context.client.monotonic() >= *stop_after) {
            co_return;
        }
        plan::SweepState reached = *state;
        reached.position = piece.end;
        co_await store_state(context.store, reached);
    }
    plan::SweepState after = step->after;
    if (state && after.began == state->began) {
        after.position = std::max(after.position, due.end);
    }
    co_await store_state(context.store, after);
}

}  // namespace mirror::sync
