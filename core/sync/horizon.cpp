#include "core/sync/horizon.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "core/sync/account_probe.hpp"
#include "core/sync/metadata.hpp"
#include "core/time/text.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

namespace {

// An empty reply is believed if the next one is empty, too.
constexpr int replies_for_none = 2;

// Two clocks and two processes: what was removed so shortly before a count may belong to it.
constexpr std::chrono::hours count_slack(1);

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

asio::awaitable<std::optional<NewestRows>> newest_shown(RunContext& context, LocalTime before) {
    const std::optional<NewestRows> newest = co_await context.store.newest_rows(before);
    const plan::Horizon horizon = co_await load_horizon(context.store);
    const auto first = plan::first_shown(horizon, context.client.server_now());
    if (newest && first && context.settings.zone.latest(newest->time) < *first) {
        co_return std::nullopt;
    }
    co_return newest;
}

asio::awaitable<void> leave_out_expired(RunContext& context, WindowSet& windows) {
    const plan::Horizon horizon = co_await load_horizon(context.store);
    const auto first = plan::first_shown(horizon, context.client.server_now());
    if (first && !windows.empty()) {
        windows.subtract({windows.windows().front().begin, *first});
    }
}

Instant HorizonSeeker::old_enough() const {
    return context_.settings.zone.align_down(context_.client.settled() - plan::least_retention);
}

// In its second or in one beside it.
asio::awaitable<bool> HorizonSeeker::shows_row_at(LocalTime time) {
    copernica::PageQuery query;
    query.begintime = context_.settings.zone.second_before(time);
    query.endtime = context_.settings.zone.second_after(time);
    query.limit = 1;
    for (int reply = 0; reply < replies_for_none; ++reply) {
        const auto fetched =
            co_await context_.client.fetch_unless_at_fault(query, std::chrono::hours(1));
        if (!fetched || fetched->page.records() > 0) {
            co_return true;  // it is not refused for having expired
        }
    }
    co_return false;
}

asio::awaitable<std::optional<bool>> HorizonSeeker::shows_any(Instant begin, Instant end) {
    const std::optional<std::uint64_t> count =
        co_await count_at_api(context_.client, context_.settings, begin, end);
    co_return count ? std::optional(*count > 0) : std::nullopt;
}

asio::awaitable<bool> HorizonSeeker::may_have_expired(const WindowSet& windows) {
    if (windows.empty()) {
        co_return false;
    }
    const Zone& zone = context_.settings.zone;
    const Instant end = std::min(windows.windows().back().end, old_enough());
    const auto oldest = co_await context_.store.nth_record(
        zone.to_local(windows.windows().front().begin), zone.to_local(end), 0);
    if (!oldest) {
        co_return false;
    }
    const bool shown = co_await shows_row_at(*oldest);
    co_return !shown;
}

asio::awaitable<HorizonSearch> HorizonSeeker::seek(Instant begin) {
    const Zone& zone = context_.settings.zone;
    const Instant end = old_enough();
    const LocalTime first = zone.to_local(begin);
    const LocalTime last = zone.to_local(end);
    HorizonSearch found;
    const auto oldest = co_await context_.store.nth_record(first, last, 0);
    bool all_shown = !oldest;
    if (oldest) {
        all_shown = co_await shows_row_at(*oldest);
    }
    if (all_shown) {
        found.known = true;
        co_return found;
    }
    const std::uint64_t held = co_await context_.store.count(first, last - Seconds(1));
    const auto shown = co_await count_at_api(context_.client, context_.settings, begin, end);
    if (!shown) {
        co_return found;
    }
    // If the API dropped its oldest rows and nothing else, its first one is this.
    const std::uint64_t dropped = held > *shown ? held - *shown : 0;
    const auto next = co_await context_.store.nth_record(first, last, dropped);
    const auto newest = co_await context_.store.newest_rows(last);
    std::optional<LocalTime> candidate = next;
    if (*shown == 0 && newest) {
        candidate = zone.second_after(newest->time);
    }
    Window between{begin, end};
    if (candidate) {
        const Instant at = zone.align_down(zone.earliest(*candidate));
        const auto older = co_await shows_any(begin, at - Seconds(1));
        if (!older) {
            co_return found;
        }
        bool starts_here = *shown == 0;
        if (!*older && !starts_here) {
            starts_here = co_await shows_row_at(*candidate);
        }
        if (!*older && starts_here) {
            found.known = true;
            found.first_shown = at;
            co_return found;
        }
        (*older ? between.end : between.begin) = at;
    }
    found.first_shown = co_await bisect(between);
    found.known = found.first_shown.has_value();
    co_return found;
}

// Nothing is shown before `window`, something within it: where it begins, as far as the file has
// seconds without rows to ask at.
asio::awaitable<std::optional<Instant>> HorizonSeeker::bisect(Window window) {
    const Zone& zone = context_.settings.zone;
    for (;;) {
        const auto second = co_await context_.store.row_free_second(
            zone.to_local(window.begin), zone.to_local(window.end), RowFreeNear::middle);
        if (!second) {
            co_return window.begin;
        }
        const Instant middle = zone.align_down(zone.earliest(*second));
        if (middle <= window.begin || middle >= window.end) {
            co_return window.begin;
        }
        const auto older = co_await shows_any(window.begin, middle);
        if (!older) {
            co_return std::nullopt;
        }
        (*older ? window.end : window.begin) = middle;
    }
}

asio::awaitable<void> leave_out_suspected(RunContext& context, WindowSet& windows) {
    if (windows.empty() || context.adaptive.nothing_expired) {
        co_return;
    }
    HorizonSeeker seeker(context);
    const bool suspected = co_await seeker.may_have_expired(windows);
    if (suspected) {
        context.adaptive.expiry_suspected = true;
        windows.subtract({windows.windows().front().begin, seeker.old_enough()});
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
            "the API shows nothing before {} any more; {} rows of the file are older and kept",
            format_local(zone.to_local(*next.begin)), rows));
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
