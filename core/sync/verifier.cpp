#include "core/sync/verifier.hpp"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "core/plan/mass_removal.hpp"
#include "core/sync/account_probe.hpp"
#include "core/sync/audit.hpp"
#include "core/sync/gap_filler.hpp"
#include "core/sync/horizon.hpp"
#include "core/sync/horizon_seeker.hpp"
#include "core/sync/metadata.hpp"
#include "core/sync/tail.hpp"
#include "core/time/text.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

namespace {

// Rounds of verifying emptiness, and of counting.
constexpr int most_rounds = 3;

// How often an API that shows rows, but counts none, is asked to count again.
constexpr int most_counts_of_nothing = 4;

// Negative: the file has more.
std::int64_t rows_missing(const plan::CountDifference& difference) {
    return difference.api > difference.file_most
               ? static_cast<std::int64_t>(difference.api - difference.file_most)
               : -static_cast<std::int64_t>(difference.file_least - difference.api);
}

}  // namespace

asio::awaitable<void> Verifier::verify_emptiness(Window period) {
    const Settings& settings = context_.settings;
    plan::EmptinessLedger& emptiness = context_.adaptive.emptiness;
    for (int round = 0; round < most_rounds; ++round) {
        const WindowSet empty = without_tail(emptiness.take_unverified().within(period));
        if (empty.empty()) {
            co_return;
        }
        const auto newest = co_await newest_shown(context_, settings.zone.to_local(period.end));
        // Without a row in the file there is none that the API must show.
        if (newest && empty.windows().front().begin >= settings.zone.earliest(newest->time)) {
            const bool agrees = co_await agrees_since(newest->time, empty.windows().back().end);
            if (agrees) {
                co_return;
            }
            if (settings.zone.latest(newest->time) < old_enough(context_)) {
                // It may have expired: a count shows whether it has, and what is empty with it.
                context_.adaptive.expiry_suspected = true;
                co_return;
            }
        }
        if (newest) {
            const std::optional<bool> shows =
                co_await shows_anything(context_.client, settings, newest->time);
            if (shows == false) {
                co_return;
            }
        }
        WindowSet wrong = co_await shown_by_now(empty);
        if (wrong.empty()) {
            co_return;
        }
        context_.observer.warning(
            fmt::format("the API showed nothing for a period in which it shows {} now; it is read "
                        "again",
                        context_.stream().name));
        co_await context_.store.uncover(wrong);
        FillRequest again(std::move(wrong));
        co_await fill_gaps(context_, std::move(again), outcome_);
    }
    co_await mark_unread(context_, without_tail(emptiness.take_unverified().within(period)),
                         fmt::format("the API shows {} here in one reply and none in the next",
                                     context_.stream().name),
                         outcome_);
}

// Of windows that were taken for empty, those in which the API counts more than the file has; a
// window that it does not count is halved.
asio::awaitable<WindowSet> Verifier::shown_by_now(WindowSet empty) {
    const Zone& zone = context_.settings.zone;
    WindowSet wrong;
    std::vector<Window> to_count = empty.windows();
    while (!to_count.empty()) {
        const Window window = to_count.back();
        to_count.pop_back();
        const LocalPeriod span = zone.span(window);
        // Rows of the seconds next to the window do not count as its own. If the API's bounds
        // included them, the window would not have been taken for empty.
        const std::uint64_t known =
            co_await context_.store.count(span.begin, span.end - Seconds(1));
        const std::optional<std::uint64_t> shown =
            co_await count_at_api(context_.client, context_.settings, window.begin, window.end);
        const Instant middle = zone.align_down(window.begin + window.width() / 2);
        if (shown ? *shown > known : middle == window.begin) {
            wrong.add(window);
        } else if (!shown) {
            to_count.push_back({window.begin, middle});
            to_count.push_back({middle, window.end});
        }
    }
    co_return wrong;
}

// One question that cannot be answered emptily: from the file's newest row on, are there as many as
// the file has? False if that is not known, either.
asio::awaitable<bool> Verifier::agrees_since(LocalTime row, Instant end) {
    const Zone& zone = context_.settings.zone;
    const LocalTime last = zone.to_local(end);
    const std::uint64_t inside = co_await context_.store.count(row, last - Seconds(1));
    // The API may count rows at the bounds' own seconds, or not.
    const std::uint64_t with_bounds = co_await context_.store.count(zone.second_before(row), last);
    if (inside != with_bounds) {
        co_return false;
    }
    const std::optional<std::uint64_t> shown =
        co_await count_at_api(context_.client, context_.settings, zone.earliest(row), end);
    co_return shown == inside;
}

// So a repair, which may take long, neither waits for the tail nor holds it up, and no two windows
// overlap.
WindowSet Verifier::without_tail(WindowSet windows) const {
    if (tail_from_) {
        windows.subtract({*tail_from_, Instant::max()});
    }
    return windows;
}

asio::awaitable<bool> Verifier::count_is_due() {
    // While a mass of rows is in doubt, the counts differ by these; it is read again soon.
    const WindowSet doubted = co_await context_.store.doubts(Instant::max());
    const WindowSet to_settle =
        co_await context_.store.doubts(context_.clock.utc() - plan::mass_removal_pause);
    if (doubted != to_settle) {
        co_return false;
    }
    plan::CountState last;
    const std::optional<std::string> counted = co_await context_.store.fact(metadata::counted_from);
    last.agreed = counted == format_local(context_.settings.start);
    const std::optional<std::string> at = co_await context_.store.fact(metadata::counted_at);
    last.at = metadata::read_instant(at);
    const plan::Horizon horizon = co_await load_horizon(context_.store);
    co_return plan::count_due(last, horizon, context_.client.server_now());
}

// Where the API's rows begin; counts before it say nothing.
asio::awaitable<void> Verifier::seek_horizon(Instant begin) {
    HorizonSeeker seeker(context_);
    const HorizonSearch found = co_await seeker.seek(begin, horizon_.begin);
    horizon_sought_ = true;
    horizon_known_ = found.known;
    if (found.known) {
        first_shown_ = found.first_shown;
    }
}

// Both counts agree, from the horizon on if there is one.
asio::awaitable<void> Verifier::note_agreement() {
    Store& store = context_.store;
    const std::optional<std::string> at = co_await store.fact(metadata::counted_at);
    const Instant now = context_.client.server_now();
    outcome_.difference.reset();
    if (horizon_known_) {
        co_await note_horizon(context_, horizon_, first_shown_, metadata::read_instant(at));
    }
    context_.adaptive.expiry_suspected = false;
    context_.adaptive.nothing_expired_at =
        first_shown_ ? std::nullopt : std::optional(context_.clock.monotonic());
    std::map<std::string, std::string> facts;
    facts[metadata::count_difference] = "";
    facts[metadata::rows_missing] = "";
    facts[metadata::counted_at] = metadata::seconds_text(now);
    facts[metadata::counted_from] = format_local(context_.settings.start);
    co_await store.set_facts(std::move(facts));
}

asio::awaitable<void> Verifier::compare_counts(Instant begin) {
    Store& store = context_.store;
    horizon_ = co_await load_horizon(store);
    first_shown_ = horizon_.begin;
    horizon_sought_ = false;
    horizon_known_ = true;
    if (horizon_ != plan::Horizon{}) {
        co_await seek_horizon(begin);
    }
    for (int round = 0; round < most_rounds;) {
        const Instant from = std::max(begin, first_shown_.value_or(begin));
        const bool agree = co_await catch_up_and_compare(from);
        if (agree) {
            co_await note_agreement();
            co_return;
        }
        if (!horizon_sought_ && outcome_.difference->api < outcome_.difference->file_least) {
            co_await seek_horizon(begin);
            if (first_shown_) {
                continue;
            }
        }
        // Until they agree, they are compared again.
        co_await store.set_fact(metadata::counted_from, "");
        const Window compared{from, context_.client.settled()};
        co_await repair_counts(round, compared);
        ++round;
        if (!outcome_.unread.empty()) {
            co_return;
        }
    }
    // What was taken for empty is not to be relied on either: the next run reads it again.
    co_await mark_unread(context_, without_tail(context_.adaptive.emptiness.take_unverified()),
                         fmt::format("the API showed nothing here, but its count of all {} is "
                                     "not the file's",
                                     context_.stream().name),
                         outcome_);
    const std::string text = plan::text_of(*outcome_.difference);
    std::map<std::string, std::string> facts;
    facts[metadata::count_difference] = text;
    facts[metadata::rows_missing] = std::to_string(rows_missing(*outcome_.difference));
    co_await store.set_facts(std::move(facts));
    context_.observer.warning(
        fmt::format("not whole: {} {} than the file has", text, context_.stream().name));
}

// What was empty is the likeliest mistake, and costs little to ask again; then an audit finds the
// rest: rows that came late into what had been read, that have gone since, or that a reply
// withheld.
asio::awaitable<void> Verifier::repair_counts(int round, Window period) {
    WindowSet empty = without_tail(context_.adaptive.emptiness.take_unverified());
    if (round == 0 && !empty.empty()) {
        context_.observer.info(
            fmt::format("the API's count of all {} is not the file's; the periods without any are "
                        "read again",
                        context_.stream().name));
        co_await context_.store.uncover(empty);
        FillRequest again(std::move(empty));
        co_await fill_gaps(context_, std::move(again), outcome_);
        co_return;
    }
    context_.observer.info(
        fmt::format("the API's count of all {} is not the file's; an audit finds where they differ",
                    context_.stream().name));
    AuditOptions options;
    options.repair = true;
    Audit audit(context_, options);
    const WindowSet covered = co_await context_.store.coverage(0);
    const AuditReport report = co_await audit.run(without_tail(covered.within(period)));
    outcome_.written += report.written;
    outcome_.unread.insert(outcome_.unread.end(), report.unread.begin(), report.unread.end());
}

// The API's count and the file's of the same period, before the next tail.
asio::awaitable<Verifier::Counts> Verifier::count_both(Instant begin) {
    const Zone& zone = context_.settings.zone;
    Counts counts;
    Instant end = context_.client.settled();
    // Bounds in the hour that occurs twice may be read as either pass of it.
    if (zone.touches_repeated_hour({end, end + Seconds(1)})) {
        end -= Seconds(1);
    }
    counts.last = zone.to_local(end);
    // Whether the API counts rows at the bounds themselves is unknown, and the file may have some.
    counts.file = co_await context_.store.count(zone.to_local(begin), counts.last - Seconds(1));
    counts.api = co_await count_at_api(context_.client, context_.settings, begin, end);
    co_return counts;
}

// The API's count must lie between the file's before and after the next tail.
asio::awaitable<bool> Verifier::catch_up_and_compare(Instant begin) {
    const Zone& zone = context_.settings.zone;
    Counts counts = co_await count_both(begin);
    bool shows_rows = false;
    if (counts.api == 0 && !shows_nothing_) {
        // Nothing at all: a new account, all has expired, or a server that answers emptily.
        const std::optional<bool> anything = co_await anything_or_uncovered();
        shows_nothing_ = anything == false;
        shows_rows = anything == true;
    }
    for (int tries = 0; shows_rows && counts.api == 0 && tries < most_counts_of_nothing; ++tries) {
        counts = co_await count_both(begin);
    }
    const Window newest{std::max(begin, tail_from_.value_or(begin)), context_.client.settled()};
    co_await catch_up(context_, newest, begin, postponed_, outcome_);
    if (!counts.api) {
        context_.observer.info(
            "the API does not count so long a period, so its count of everything is not compared");
        const Window everything{begin, context_.client.settled()};
        co_await verify_emptiness(everything);
        co_return true;
    }
    const LocalTime first = zone.second_before(zone.to_local(begin));
    const std::uint64_t after = co_await context_.store.count(first, counts.last);
    std::optional<plan::CountDifference> difference =
        plan::difference_of(*counts.api, counts.file, after);
    if (shows_rows && counts.api == 0) {
        // It has at least one row that it does not count: this never agrees.
        difference = plan::CountDifference{after + 1, counts.file, after};
    }
    if (difference) {
        outcome_.difference = difference;
    }
    co_return !difference;
}

// Of an account without a row. If it cannot be asked often enough, what was taken for empty is not
// covered any more.
asio::awaitable<std::optional<bool>> Verifier::anything_or_uncovered() {
    std::exception_ptr failed;
    try {
        const std::optional<bool> anything =
            co_await shows_anything(context_.client, context_.settings, std::nullopt);
        co_return anything;
    } catch (...) {
        failed = std::current_exception();
    }
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    WindowSet empty = without_tail(context_.adaptive.emptiness.take_unverified());
    co_await context_.store.uncover(std::move(empty));
    std::rethrow_exception(failed);
}

}  // namespace mirror::sync
