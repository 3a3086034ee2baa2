#include "core/sync/horizon_seeker.hpp"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

#include "core/sync/account_probe.hpp"
#include "core/sync/horizon.hpp"
#include "core/time/text.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

namespace {

// An empty reply is believed if the next one is empty, too.
constexpr int replies_for_none = 2;

// The API drops single rows, too: one missing row does not prove that older ones are missing.
constexpr int rows_tried = 3;

}  // namespace

// In its second or in one beside it.
asio::awaitable<bool> HorizonSeeker::shows_row_at(LocalTime time) {
    copernica::PageQuery query;
    query.begintime = context_.settings.zone.second_before(time);
    query.endtime = context_.settings.zone.second_after(time);
    query.limit = 1;
    for (int reply = 0; reply < replies_for_none; ++reply) {
        const auto fetched = co_await context_.client.fetch_unless_at_fault(query, repeated_hour);
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
    const Instant end = std::min(windows.windows().back().end, old_enough(context_));
    const auto oldest = co_await context_.store.nth_record(
        zone.to_local(windows.windows().front().begin), zone.to_local(end), 0);
    if (!oldest) {
        co_return false;
    }
    const bool shown = co_await shows_row_at(*oldest);
    if (shown) {
        co_return false;
    }
    // If the API shows something older, this row is missing for another reason than its age.
    const Instant begin = context_.everything().begin;
    const std::optional<Instant> horizon = co_await first_shown(context_);
    const Window older{std::max(begin, horizon.value_or(begin)),
                       zone.align_down(zone.earliest(*oldest))};
    co_return co_await shows_none(older);
}

asio::awaitable<bool> HorizonSeeker::shows_none(Window period) {
    if (period.empty()) {
        co_return true;
    }
    const auto any = co_await shows_any(period.begin, period.end);
    if (any) {
        co_return !*any;
    }
    const Zone& zone = context_.settings.zone;
    LocalTime before = zone.to_local(period.end);
    for (int row = 0; row < rows_tried; ++row) {
        const auto newest = co_await context_.store.newest_rows(before);
        if (!newest || newest->time < zone.to_local(period.begin)) {
            break;
        }
        const bool shown = co_await shows_row_at(newest->time);
        if (shown) {
            co_return false;
        }
        before = newest->time;
    }
    co_return true;
}

asio::awaitable<HorizonSearch> HorizonSeeker::seek(Instant begin, std::optional<Instant> known) {
    HorizonSearch found = co_await seek_from(begin);
    if (!found.known && known && *known > begin) {
        // Periods may be too long for the API. It has shown nothing before this on two days.
        found = co_await seek_from(*known);
        if (found.known && !found.first_shown) {
            found.first_shown = known;
        }
    }
    co_return found;
}

asio::awaitable<HorizonSearch> HorizonSeeker::seek_from(Instant begin) {
    const Zone& zone = context_.settings.zone;
    const Instant end = old_enough(context_);
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
        // In the hour that occurs twice, "after all rows" is after both passes of it.
        const Instant at = *shown == 0 ? zone.align_up(zone.latest(*candidate))
                                       : zone.align_down(zone.earliest(*candidate));
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
    if (found.first_shown && *found.first_shown <= zone.earliest(*oldest)) {
        // The API shows other rows from before the file's oldest one: that one is gone, but not
        // because it is old.
        found.first_shown.reset();
    }
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

asio::awaitable<std::optional<Instant>> first_shown_now(RunContext& context, WindowSet covered) {
    co_await learn_erased_before(context);
    std::optional<Instant> erased = context.erased_before;
    if (context.settings.keep) {
        erased = std::max(erased, std::optional(context.everything().begin));
    }
    const plan::Horizon horizon = co_await load_horizon(context.store);
    const auto known = plan::first_shown(horizon, context.client.server_now());
    if (erased && !covered.empty()) {
        covered.subtract({covered.windows().front().begin, *erased});
    }
    if (known || covered.empty()) {
        co_return std::max(known, erased);
    }
    HorizonSeeker seeker(context);
    const bool suspected = co_await seeker.may_have_expired(covered);
    if (!suspected) {
        co_return erased;
    }
    const HorizonSearch found =
        co_await seeker.seek(covered.windows().front().begin, horizon.begin);
    if (found.first_shown) {
        context.observer.info(
            fmt::format("the API shows nothing before {} any more; what is older is left as it is",
                        format_local(context.settings.zone.to_local(*found.first_shown))));
    }
    co_return std::max(found.first_shown, erased);
}

}  // namespace mirror::sync
