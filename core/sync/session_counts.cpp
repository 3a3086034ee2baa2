// A session's doubts: emptiness that was believed, and counts that do not agree.
#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "core/sync/account_probe.hpp"
#include "core/sync/metadata.hpp"
#include "core/sync/session.hpp"
#include "core/time/text.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

namespace {

// Rounds of doubting what was believed empty, and of counting.
constexpr int most_rounds = 3;

}  // namespace

// What was believed empty on the way is asked once more, now that the API has shown rows since.
asio::awaitable<void> Session::doubt_emptiness(Window period) {
    for (int round = 0; round < most_rounds; ++round) {
        const WindowSet believed = adaptive_.emptiness.take_unverified().within(period);
        if (believed.empty()) {
            co_return;
        }
        const auto newest = co_await store_.newest_rows(settings_.zone.to_local(period.end));
        // Without a row in the file there is none that the API must show.
        if (newest && believed.windows().front().begin >= settings_.zone.earliest(newest->time)) {
            const bool agrees = co_await agrees_since(newest->time, believed.windows().back().end);
            if (agrees) {
                co_return;
            }
        }
        if (newest) {
            const std::optional<bool> shows =
                co_await shows_anything(client_, settings_, newest->time);
            if (shows == false) {
                co_return;
            }
        }
        WindowSet wrong;
        std::vector<Window> to_count = believed.windows();
        while (!to_count.empty()) {
            const Window window = to_count.back();
            to_count.pop_back();
            const LocalPeriod span = settings_.zone.span(window);
            // Rows of the seconds next to the window do not count as its own. Where the API's
            // bounds include them, the window would not have been believed empty.
            const std::uint64_t known = co_await store_.count(span.begin, span.end - Seconds(1));
            const std::optional<std::uint64_t> shown =
                co_await count_at_api(client_, settings_, window.begin, window.end);
            const Instant middle = settings_.zone.align_down(window.begin + window.width() / 2);
            if (shown ? *shown > known : middle == window.begin) {
                wrong.add(window);
            } else if (!shown) {
                to_count.push_back({window.begin, middle});
                to_count.push_back({middle, window.end});
            }
        }
        if (wrong.empty()) {
            co_return;
        }
        observer_.warning(
            "the API showed nothing for a period in which it shows impressions now; it is read "
            "again");
        co_await store_.uncover(wrong);
        co_await complete(wrong, std::nullopt);
    }
    co_await leave_out(adaptive_.emptiness.take_unverified().within(period),
                       "the API shows impressions here in one reply and none in the next");
}

// One question that cannot be answered emptily: from the file's newest row on, are there as many as
// the file has? False where it is not known, either.
asio::awaitable<bool> Session::agrees_since(LocalTime row, Instant end) {
    const LocalTime last = settings_.zone.to_local(end);
    const std::uint64_t inside = co_await store_.count(row, last - Seconds(1));
    // Rows at the bounds' own seconds may be counted by the API, or not.
    const std::uint64_t with_bounds =
        co_await store_.count(settings_.zone.second_before(row), last);
    if (inside != with_bounds) {
        co_return false;
    }
    const std::optional<std::uint64_t> shown =
        co_await count_at_api(client_, settings_, settings_.zone.earliest(row), end);
    co_return shown == inside;
}

// Takes back the claim that these windows are whole.
asio::awaitable<void> Session::leave_out(WindowSet windows, std::string reason) {
    if (windows.empty()) {
        co_return;
    }
    co_await store_.uncover(windows);
    for (const Window& window : windows.windows()) {
        outcome_.unread.push_back({window, reason});
    }
}

asio::awaitable<void> Session::compare_counts(Instant begin) {
    for (int round = 0; round < most_rounds; ++round) {
        const bool agree = co_await catch_up_and_compare_counts(begin);
        if (agree) {
            outcome_.difference.reset();
            co_await store_.set_fact(metadata::count_difference, "");
            co_await store_.set_fact(metadata::counted_at, seconds_text(client_.server_now()));
            co_await store_.set_fact(metadata::counted_from, format_local(settings_.start));
            co_return;
        }
        // Until they agree, they are compared again.
        co_await store_.set_fact(metadata::counted_from, "");
        co_await repair_counts(round, {begin, client_.settled()});
        if (!outcome_.unread.empty()) {
            co_return;
        }
    }
    // Nor is what still counts as empty to be relied on: the next run reads it again.
    co_await leave_out(adaptive_.emptiness.take_unverified(),
                       "the API showed nothing here, but its count of all impressions is not the "
                       "file's");
    const CountDifference& difference = *outcome_.difference;
    const std::string text =
        difference.api > difference.file_most
            ? fmt::format("the API counts {} more", difference.api - difference.file_most)
            : fmt::format("the API counts {} fewer", difference.file_least - difference.api);
    co_await store_.set_fact(metadata::count_difference, text);
    observer_.warning(fmt::format("not whole: {} impressions than the file has", text));
}

// What was empty is the likeliest lie, and costs little to ask again; then an audit finds the rest:
// rows that came late into what had been read, that have gone since, or that a reply withheld.
asio::awaitable<void> Session::repair_counts(int round, Window period) {
    const WindowSet believed = adaptive_.emptiness.take_unverified();
    if (round == 0 && !believed.empty()) {
        observer_.info(
            "the API's count of all impressions is not the file's; the periods without any are "
            "read again");
        co_await store_.uncover(believed);
        co_await complete(believed, std::nullopt);
        co_return;
    }
    observer_.info(
        "the API's count of all impressions is not the file's; an audit finds where they differ");
    AuditOptions options;
    options.repair = true;
    Audit audit(executor_, client_, store_, observer_, settings_, adaptive_, options);
    const WindowSet covered = co_await store_.coverage(0);
    const AuditReport report = co_await audit.run(covered.within(period));
    outcome_.written += report.written;
    outcome_.unread.insert(outcome_.unread.end(), report.unread.begin(), report.unread.end());
}

// The API's count must lie between the file's before and after the next tail.
asio::awaitable<bool> Session::catch_up_and_compare_counts(Instant begin) {
    const LocalTime first = settings_.zone.second_before(settings_.zone.to_local(begin));
    Instant end = client_.settled();
    // Bounds in the hour that occurs twice may be read as either pass of it.
    if (settings_.zone.touches_repeated_hour({end, end + Seconds(1)})) {
        end -= Seconds(1);
    }
    const LocalTime last = settings_.zone.to_local(end);
    // Whether the API counts rows at the bounds themselves is unknown, and the file may have some.
    const std::uint64_t before =
        co_await store_.count(settings_.zone.to_local(begin), last - Seconds(1));
    std::optional<std::uint64_t> shown = co_await count_at_api(client_, settings_, begin, end);
    if (shown == 0) {
        // Nothing at all: a new account, or a server that answers emptily.
        const std::optional<bool> anything =
            co_await shows_anything(client_, settings_, std::nullopt);
        if (anything == true) {
            shown = co_await count_at_api(client_, settings_, begin, end);
        }
    }
    co_await follow_tail({begin, client_.settled()}, begin);
    if (!shown) {
        observer_.info(
            "the API does not count so long a period, so its count of everything is not compared");
        co_await doubt_emptiness({begin, client_.settled()});
        co_return true;
    }
    const std::uint64_t after = co_await store_.count(first, last);
    if (before <= *shown && *shown <= after) {
        co_return true;
    }
    CountDifference difference;
    difference.api = *shown;
    difference.file_least = before;
    difference.file_most = after;
    outcome_.difference = difference;
    co_return false;
}

}  // namespace mirror::sync
