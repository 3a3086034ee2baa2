// A session's newest period, and what is read again because it came of age.
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

// The rows that a tail may read again for the sake of a reply that cannot be empty.
constexpr std::uint64_t most_witnesses = 100;

// How far back a tail reaches for that. An account that is silent for longer is asked about its
// silence once more instead.
constexpr std::chrono::hours furthest_witness(24 * 7);

// A tail that is at most so long is read as one window.
constexpr Seconds longest_tail{3600};

// No two zones are further apart.
constexpr std::chrono::hours furthest_zones(26);

}  // namespace

// Reads the newest period and whatever else is missing of `wanted`. What is read again for the
// tail's sake does not begin before `earliest`.
asio::awaitable<void> Session::follow_tail(Window wanted, Instant earliest) {
    const WindowSet coverage = co_await store_.coverage(0);
    WindowSet todo(wanted);
    todo.subtract(coverage);
    if (coverage.empty()) {
        co_await complete(todo, std::nullopt, std::nullopt, plan::Direction::oldest_first);
        co_return;
    }
    const Instant mark = coverage.windows().back().end;
    Window tail{mark - settings_.overlap, wanted.end};
    const auto newest = co_await store_.newest_rows(settings_.zone.to_local(wanted.end));
    // A tail that begins with a row of the file cannot be empty: an empty reply is a lie then,
    // and seen as one. It also reaches back to the rows of an API whose zone is behind ours.
    if (newest && newest->rows <= most_witnesses) {
        const Instant witness = settings_.zone.earliest(newest->time);
        if (mark - witness <= furthest_witness) {
            tail.begin = std::min(tail.begin, witness);
        }
    }
    tail.begin = std::max(settings_.zone.align_down(tail.begin), earliest);
    // It does not reach back over what could not be read a moment ago, either.
    for (const Window& window : postponed_.windows()) {
        if (window.begin < mark) {
            tail.begin = std::max(tail.begin, window.end);
        }
    }
    std::optional<Window> first;
    if (wanted.end - mark <= longest_tail) {
        first = tail;
    } else {
        todo.add({mark - settings_.overlap, wanted.end});
    }
    todo.subtract(postponed_);
    // Where nothing older is missing, all that is missing is appended.
    const bool appends =
        !first && !todo.empty() && todo.windows().front().begin >= mark - settings_.overlap;
    co_await complete(todo, first, std::nullopt,
                      appends ? plan::Direction::oldest_first : plan::Direction::newest_first);
    co_await warn_of_late_hours(mark, newest);
}

// What has come of age since it was read last.
asio::awaitable<void> Session::read_again(Instant since, std::optional<Monotonic> stop_after) {
    if (settings_.audit_ages.empty()) {
        co_return;
    }
    const WindowSet covered = co_await store_.coverage(0);
    WindowSet due;
    for (const Seconds age : settings_.audit_ages) {
        const WindowSet at_age = co_await store_.coverage(age.count());
        const WindowSet due_now =
            plan::due_at_age(covered, at_age, since, client_.server_now(), age);
        for (const Window& window : due_now.windows()) {
            due.add(window);
        }
    }
    due.subtract(postponed_);
    if (!due.empty()) {
        co_await complete(due, std::nullopt, stop_after);
    }
}

// Rows whose zone is behind ours come into periods that were covered before, always as late as
// the zones differ.
asio::awaitable<void> Session::warn_of_late_hours(Instant mark_before,
                                                  std::optional<NewestRows> newest_before) {
    const auto newest = co_await store_.newest_rows(settings_.zone.to_local(client_.settled()));
    if (!newest || (newest_before && newest->time <= newest_before->time)) {
        co_return;
    }
    const Instant at = settings_.zone.latest(newest->time);
    const Seconds least = mark_before - at;  // it was not there at the last visit
    const Seconds most = client_.server_now() - at;
    const Seconds hours = std::chrono::floor<std::chrono::hours>(most + settings_.overlap);
    const bool at_whole_hours = hours >= std::chrono::hours(1) && hours <= furthest_zones &&
                                hours >= least - settings_.overlap && most - least <= longest_tail;
    if (least > settings_.overlap && at_whole_hours) {
        observer_.warning(fmt::format(
            "new impressions carry a time that is {} h behind the API's clock: is [api] time_zone "
            "({}) the account's?",
            std::chrono::duration_cast<std::chrono::hours>(hours).count(), settings_.zone.name()));
    }
}

}  // namespace mirror::sync
