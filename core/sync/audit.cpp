#include "core/sync/audit.hpp"

#include <algorithm>
#include <exception>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/plan/mass_removal.hpp"
#include "core/sync/account_probe.hpp"
#include "core/sync/fetch_pipeline.hpp"
#include "core/sync/gap_filler.hpp"
#include "core/time/text.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

namespace {

// A period is counted in a few pieces from the start, so that a record too many in one and one
// too few in another do not hide each other so easily.
constexpr int first_halvings = 2;

// Seconds with rows that are looked at for two that tell what the bounds mean.
constexpr int most_seconds_to_learn = 16;

// Pages of a piece that is read as one window.
constexpr std::uint64_t pages_at_once = AdaptiveState::pages_a_window;

}  // namespace

asio::awaitable<AuditReport> Audit::run(WindowSet covered) {
    bounds_ = options_.bounds;
    if (!bounds_) {
        co_await learn_bounds(covered);
    }
    for (const Window& period : covered.windows()) {
        co_await examine_period(period);
    }
    co_await settle_places();
    co_await context_.store.recount();
    co_return std::move(report_);
}

// What the API shows of a short period; nothing if it does not serve it.
asio::awaitable<std::optional<copernica::Page>> Audit::shown_between(LocalTime begin,
                                                                     LocalTime end) {
    copernica::PageQuery query;
    query.begintime = begin;
    query.endtime = end;
    query.limit = context_.settings.page_size;
    auto fetched = co_await context_.client.fetch_unless_at_fault(query, Seconds(0));
    if (!fetched) {
        co_return std::nullopt;
    }
    co_return std::move(fetched->page);
}

// Three seconds with rows tell, if there are none between them: a query from the first to the last
// shows the rows of these two only if its bounds are inclusive, and those of the second in any
// case.
asio::awaitable<void> Audit::learn_bounds(const WindowSet& covered) {
    if (covered.empty()) {
        co_return;
    }
    LocalTime before = context_.settings.zone.to_local(covered.windows().back().end);
    std::vector<NewestRows> seconds;  // newest first
    for (int tries = 0; tries < most_seconds_to_learn; ++tries) {
        const std::optional<NewestRows> next = co_await context_.store.newest_rows(before);
        if (!next) {
            co_return;
        }
        before = next->time;
        seconds.push_back(*next);
        const bool enough = seconds.size() >= 3;
        if (!enough) {
            continue;
        }
        const NewestRows& first = seconds.back();
        const NewestRows& second = seconds[seconds.size() - 2];
        const NewestRows& third = seconds[seconds.size() - 3];
        if (first.rows + second.rows + third.rows > context_.settings.page_size / 2 ||
            !is_plain_between(first.time, third.time)) {
            continue;
        }
        const auto around =
            co_await shown_between(first.time - Seconds(1), third.time + Seconds(1));
        const auto between = co_await shown_between(first.time, third.time);
        if (around && between) {
            bounds_ = plan::bounds_meaning(*around, *between, first.time, second.time, third.time);
        }
        co_return;
    }
}

bool Audit::is_plain_between(LocalTime first, LocalTime last) const {
    const Zone& zone = context_.settings.zone;
    const Window around{zone.earliest(first) - Seconds(1), zone.earliest(last) + Seconds(1)};
    return plan::is_plain(zone, around.begin) && plan::is_plain(zone, around.end) &&
           !zone.touches_repeated_hour(around) && around.width() == last - first + Seconds(2);
}

asio::awaitable<std::optional<Instant>> Audit::quiet(Window window, RowFreeNear near) {
    const LocalPeriod span = context_.settings.zone.span(window);
    const std::optional<LocalTime> second =
        co_await context_.store.row_free_second(span.begin, span.end, near);
    if (!second) {
        co_return std::nullopt;
    }
    // In the hour that occurs twice a local second does not cut between instants.
    const Instant at = context_.settings.zone.earliest(*second);
    if (at != context_.settings.zone.align_down(at) || at < window.begin || at > window.end) {
        co_return std::nullopt;
    }
    co_return at;
}

asio::awaitable<Audit::CountInFile> Audit::count_in_file(Window window) {
    const LocalPeriod span = context_.settings.zone.span(window);
    const LocalTime last = span.end - Seconds(1);
    CountInFile count;
    count.records = co_await context_.store.count(span.begin, last);
    const UnplacedRejects unplaced = co_await context_.store.unplaced_rejects(span.begin, last);
    count.least = count.records - std::min(unplaced.counted, count.records);
    count.most = count.records + unplaced.others;
    co_return count;
}

// Nothing if the API does not serve so long a period.
asio::awaitable<std::optional<Audit::CountedRange>> Audit::counted(Window window) {
    CountedRange piece;
    piece.window = window;
    piece.file = co_await count_in_file(window);
    const Zone& zone = context_.settings.zone;
    std::optional<std::uint64_t> api;
    if (bounds_ && plan::is_plain(zone, window.begin) && plan::is_plain(zone, window.end)) {
        const copernica::PageQuery query = plan::exact_count_query(zone, window, *bounds_);
        api = co_await count_at_api(context_.client, query);
    } else {
        api = co_await count_at_api(context_.client, context_.settings, window.begin, window.end);
    }
    if (!api) {
        co_return std::nullopt;
    }
    piece.api = *api;
    co_return piece;
}

// Where to cut a window so that both sides can be counted: with about half of the rows on each.
asio::awaitable<std::optional<Instant>> Audit::cut_of(Window window) {
    std::optional<Instant> cut;
    if (bounds_) {
        const Zone& zone = context_.settings.zone;
        const LocalPeriod span = zone.span(window);
        const std::optional<LocalTime> middle =
            co_await context_.store.middle_row(span.begin, span.end);
        if (middle && plan::is_plain(zone, zone.earliest(*middle))) {
            cut = zone.earliest(*middle);
        }
    }
    if (!cut) {
        cut = co_await quiet(window, RowFreeNear::middle);
    }
    if (cut && (*cut <= window.begin || *cut >= window.end)) {
        cut.reset();
    }
    co_return cut;
}

void Audit::leave_to_read(const Window& window, std::uint64_t rows) {
    if (!window.empty()) {
        to_read_.emplace_back(window, rows);
    }
}

asio::awaitable<void> Audit::examine_period(Window period) {
    const Zone& zone = context_.settings.zone;
    Window inside = period;
    if (!bounds_ || !plan::is_plain(zone, inside.begin) || !plan::is_plain(zone, inside.end)) {
        const auto begin = co_await quiet(period, RowFreeNear::begin);
        const auto end = co_await quiet(period, RowFreeNear::end);
        const bool countable = begin && end && *begin < *end;
        if (options_.as_one && !countable) {
            co_return;
        }
        if (!countable) {
            const CountInFile count = co_await count_in_file(period);
            leave_to_read(period, count.records);
            co_return;
        }
        inside = {*begin, *end};
        if (!options_.as_one) {
            leave_to_read({period.begin, inside.begin}, 0);
            leave_to_read({inside.end, period.end}, 0);
        }
    }

    std::vector<CountedRange> in_doubt;
    std::vector<Window> pieces{inside};
    if (!options_.as_one) {
        pieces = co_await first_pieces(inside);
    }
    while (!pieces.empty()) {
        const Window window = pieces.back();
        pieces.pop_back();
        const std::optional<CountedRange> piece = co_await counted(window);
        if (!piece) {
            // Too long for the API: in halves, as far as it can be cut.
            const auto cut = co_await cut_of(window);
            if (cut) {
                pieces.push_back({window.begin, *cut});
                pieces.push_back({*cut, window.end});
            } else {
                const CountInFile count = co_await count_in_file(window);
                leave_to_read(window, count.records);
            }
            continue;
        }
        report_.api += piece->api;
        report_.file += piece->file.records;
        if (!piece->may_agree()) {
            counted_periods_.push_back(window);
            co_await examine(*piece);
        } else if (piece->file.least != piece->file.most) {
            in_doubt.push_back(*piece);
        }
    }
    co_await examine_doubtful(inside, std::move(in_doubt));
}

// Pieces that agree if rejects without a time lie on the other side of a cut. What one has too few,
// another has too many then, but for rejects that may lie outside of all that was counted. A piece
// whose counts are equal may lack a row, too: it has a reject too many for it.
asio::awaitable<void> Audit::examine_doubtful(Window counted, std::vector<CountedRange> pieces) {
    if (pieces.empty()) {
        co_return;
    }
    std::uint64_t api = 0;
    std::uint64_t file = 0;
    for (const CountedRange& piece : pieces) {
        api += piece.api;
        file += piece.file.records;
    }
    const CountInFile all = co_await count_in_file(counted);
    const std::uint64_t outside = all.records - all.least;
    const std::uint64_t from_outside = all.most - all.records;
    if (api + outside >= file && api <= file + from_outside) {
        co_return;
    }
    for (const CountedRange& piece : pieces) {
        counted_periods_.push_back(piece.window);
        leave_to_read(piece.window, std::max(piece.api, piece.file.records));
    }
}

asio::awaitable<std::vector<Window>> Audit::first_pieces(Window window) {
    std::vector<Window> pieces{window};
    for (int halving = 0; halving < first_halvings; ++halving) {
        std::vector<Window> halves;
        for (const Window& piece : pieces) {
            const CountInFile count = co_await count_in_file(piece);
            std::optional<Instant> cut;
            if (count.records > context_.settings.page_size) {
                cut = co_await cut_of(piece);
            }
            if (cut) {
                halves.push_back({piece.begin, *cut});
                halves.push_back({*cut, piece.end});
            } else {
                halves.push_back(piece);
            }
        }
        pieces = std::move(halves);
    }
    co_return pieces;
}

// Narrows down a piece whose counts differ.
asio::awaitable<void> Audit::examine(CountedRange piece) {
    std::optional<Instant> cut;
    if (plan::worth_halving(piece.api, piece.nearest(), context_.settings.page_size)) {
        cut = co_await cut_of(piece.window);
    }
    std::optional<CountedRange> left;
    if (cut) {
        const Window first_half{piece.window.begin, *cut};
        left = co_await counted(first_half);
    }
    // Where more than the whole is counted in a part of it, it moves: reading settles it.
    if (!left || left->api > piece.api || left->file.records > piece.file.records) {
        leave_to_read(piece.window, std::max(piece.api, piece.file.records));
        co_return;
    }
    CountedRange right;
    right.window = {*cut, piece.window.end};
    right.api = piece.api - left->api;
    right.file = co_await count_in_file(right.window);
    if (left->may_agree() && right.may_agree()) {
        leave_to_read(piece.window, std::max(piece.api, piece.file.records));
        co_return;
    }
    if (!left->may_agree()) {
        co_await examine(*left);
    }
    if (!right.may_agree()) {
        co_await examine(right);
    }
}

// Reads what differs or could not be counted, and puts it right or takes its coverage away.
asio::awaitable<void> Audit::settle_places() {
    if (to_read_.empty()) {
        co_return;
    }
    ComparingSink comparing(context_.store, options_.repair);
    co_await read_pieces(comparing);
    add_places(comparing.differences());
    if (options_.prune) {
        co_await prune(comparing.read());
    }
    co_await verify_counts();
    report_.places = plan::join_places(report_.places, most_places);
    co_await withdraw_coverage();
}

// A piece whose rows are counted is one window, not many that feel their way.
asio::awaitable<void> Audit::read_pieces(ComparingSink& sink) {
    WindowSet all;
    for (const auto& [window, rows] : to_read_) {
        all.add(window);
    }
    FetchPipeline pipeline(context_, sink, all);
    for (const auto& [window, rows] : to_read_) {
        if (rows <= pages_at_once * context_.settings.page_size) {
            pipeline.read_first(window);
        }
    }
    co_await pipeline.run();
    report_.written = pipeline.written();
    report_.unread = pipeline.unread();
    WindowSet again = std::exchange(report_.written.read_again, {});
    if (!again.empty()) {
        Outcome rest;
        FillRequest request(std::move(again));
        co_await fill_gaps(context_, std::move(request), rest);
        report_.written += rest.written;
        report_.unread.insert(report_.unread.end(), rest.unread.begin(), rest.unread.end());
    }
}

// Deletes what is removed in the periods that were read, unless that is suspiciously much.
asio::awaitable<void> Audit::prune(const WindowSet& read) {
    const Zone& zone = context_.settings.zone;
    std::uint64_t removed = 0;
    std::uint64_t held = 0;
    for (const Window& window : read.windows()) {
        const LocalPeriod span = zone.span(window);
        removed += co_await context_.store.count_removed(span.begin, span.end);
        held += co_await context_.store.count(span.begin, span.end - Seconds(1));
    }
    if (!options_.prune_many && plan::is_mass_removal(removed, removed + held)) {
        report_.not_pruned = removed;
        co_return;
    }
    for (const Window& window : read.windows()) {
        const LocalPeriod span = zone.span(window);
        report_.pruned += co_await context_.store.prune(span.begin, span.end);
    }
}

// Counts again what differed. Where reading found no difference and the bounds are not known, the
// counts differed for a row at a bound's own second, and reading is the better proof.
asio::awaitable<void> Audit::verify_counts() {
    report_.repaired = options_.repair && report_.unread.empty() && !report_.places.empty();
    const std::vector<AuditPlace> found = report_.places;
    for (const Window& window : counted_periods_) {
        const bool place_here = std::any_of(
            found.begin(), found.end(),
            [&](const AuditPlace& place) { return !intersection(place.window, window).empty(); });
        const bool told_already = place_here && !options_.repair;
        if (told_already || (!place_here && !bounds_)) {
            continue;
        }
        const std::optional<CountedRange> piece = co_await counted(window);
        if (piece && piece->may_agree()) {
            continue;
        }
        report_.repaired = false;
        context_.observer.warning(
            fmt::format("{} to {} {}: the API counts {}, the file has {}", format_utc(window.begin),
                        format_utc(window.end),
                        place_here ? "still differs after the repair"
                                   : "differs, though each record that the API shows is there",
                        piece ? piece->api : 0, piece ? piece->file.records : 0));
        AuditPlace place;
        place.window = window;
        report_.places.push_back(place);
    }
    std::sort(
        report_.places.begin(), report_.places.end(),
        [](const AuditPlace& a, const AuditPlace& b) { return a.window.begin < b.window.begin; });
}

// The file does not claim any more what turned out not to be true.
asio::awaitable<void> Audit::withdraw_coverage() {
    WindowSet untrue;
    if (!report_.repaired) {
        for (const AuditPlace& place : report_.places) {
            untrue.add(place.window);
        }
    }
    for (const plan::UnreadWindow& unread : report_.unread) {
        untrue.add(unread.window);
    }
    if (untrue.empty()) {
        co_return;
    }
    const WindowSet before = co_await context_.store.coverage(0);
    co_await context_.store.uncover(std::move(untrue));
    const WindowSet after = co_await context_.store.coverage(0);
    report_.withdrawn = before;
    report_.withdrawn.subtract(after);
}

void Audit::add_places(const std::vector<RowDifference>& differences) {
    std::map<LocalTime, AuditPlace> seconds;
    for (const RowDifference& difference : differences) {
        AuditPlace& place = seconds[difference.time];
        switch (difference.kind) {
            case RowDifference::Kind::missing:
                ++place.missing;
                break;
            case RowDifference::Kind::gone:
                ++place.gone;
                break;
            case RowDifference::Kind::changed:
                ++place.changed;
                break;
        }
    }
    for (auto& [second, place] : seconds) {
        place.window = {
            context_.settings.zone.align_down(context_.settings.zone.earliest(second)),
            context_.settings.zone.align_up(context_.settings.zone.latest(second) + Seconds(1))};
        report_.places.push_back(place);
    }
}

}  // namespace mirror::sync
