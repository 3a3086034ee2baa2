#include "core/sync/horizon.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "core/sync/horizon_facts.hpp"
#include "core/sync/horizon_seeker.hpp"
#include "core/sync/metadata.hpp"
#include "core/time/text.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

namespace {

// Two clocks and two processes: what was removed so shortly before a count may belong to it.
constexpr std::chrono::hours count_slack(1);

// An account may begin to drop statistics at any time: so long is relied on a count by which it
// does not.
constexpr std::chrono::hours count_holds(1);

}  // namespace

asio::awaitable<plan::Horizon> load_horizon(Store& store) {
    std::map<std::string, std::optional<std::string>> facts;
    for (const char* const key : horizon_keys) {
        std::optional<std::string> value = co_await store.fact(key);
        facts[key] = std::move(value);
    }
    const auto fact = [&facts](const char* key) { return facts[key]; };
    co_return read_horizon(fact);
}

asio::awaitable<void> learn_erased_before(RunContext& context) {
    const std::optional<std::string> text = co_await context.store.fact(metadata::erased_before);
    const std::optional<LocalTime> before = text ? parse_local(*text) : std::nullopt;
    const Zone& zone = context.settings.zone;
    context.erased_before =
        before ? std::optional(zone.align_down(zone.earliest(*before))) : std::nullopt;
}

asio::awaitable<std::optional<Instant>> first_shown(RunContext& context) {
    co_await learn_erased_before(context);
    const plan::Horizon horizon = co_await load_horizon(context.store);
    // Nothing is less than any moment.
    const std::optional<Instant> shown =
        std::max(plan::first_shown(horizon, context.client.server_now()), context.erased_before);
    // What is about to be erased is left alone, too.
    co_return context.settings.keep ? std::max(shown, std::optional(context.everything().begin))
                                    : shown;
}

Instant old_enough(const RunContext& context) {
    return context.settings.zone.align_down(context.client.settled() - plan::least_retention);
}

asio::awaitable<std::optional<NewestRows>> newest_shown(RunContext& context, LocalTime before) {
    const std::optional<NewestRows> newest = co_await context.store.newest_rows(before);
    const std::optional<Instant> first = co_await first_shown(context);
    if (newest && first && context.settings.zone.latest(newest->time) < *first) {
        co_return std::nullopt;
    }
    co_return newest;
}

asio::awaitable<void> leave_out_expired(RunContext& context, WindowSet& windows) {
    const std::optional<Instant> first = co_await first_shown(context);
    if (first && !windows.empty()) {
        windows.subtract({windows.windows().front().begin, *first});
    }
}

asio::awaitable<void> leave_out_suspected(RunContext& context, WindowSet& windows) {
    const std::optional<Monotonic>& told = context.adaptive.nothing_expired_at;
    if (windows.empty() || (told && context.clock.monotonic() - *told < count_holds)) {
        co_return;
    }
    HorizonSeeker seeker(context);
    const bool suspected = co_await seeker.may_have_expired(windows);
    if (suspected) {
        context.adaptive.expiry_suspected = true;
        windows.subtract({windows.windows().front().begin, old_enough(context)});
    }
}

asio::awaitable<void> note_horizon(RunContext& context, plan::Horizon known,
                                   std::optional<Instant> first_shown,
                                   std::optional<Instant> last_count) {
    const Zone& zone = context.settings.zone;
    plan::Horizon next;
    if (first_shown) {
        next = plan::with_proof(known, {*first_shown, context.client.server_now()});
    }
    if (next == known) {
        co_return;
    }
    std::map<std::string, std::string> facts = horizon_facts(next);
    if (next.begin && next.begin != known.begin) {
        // What was taken for removed since the last count that agreed has expired instead.
        const Instant since = last_count.value_or(context.client.server_now()) - count_slack;
        const std::uint64_t rows =
            co_await context.store.settle_expired(zone.to_local(*next.begin), since);
        facts[metadata::rows_before_horizon] = std::to_string(rows);
        context.observer.info(fmt::format(
            "the API shows nothing before {} any more; {} of the file {} older and kept",
            format_local(zone.to_local(*next.begin)),
            rows == 1 ? "1 row" : fmt::format("{} rows", rows), rows == 1 ? "is" : "are"));
    } else if (!next.begin) {
        facts[metadata::rows_before_horizon] = "";
    }
    if (next.pending && next.pending != known.pending) {
        context.observer.info(
            fmt::format("the API shows nothing before {}; if it shows no more in a day, what is "
                        "older has expired there",
                        format_local(zone.to_local(next.pending->begin))));
    }
    co_await context.store.set_facts(std::move(facts));
}

}  // namespace mirror::sync
