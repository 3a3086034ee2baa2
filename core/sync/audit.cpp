#include "core/sync/audit.hpp"

#include <algorithm>
#include <exception>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/sync/account_probe.hpp"
#include "core/sync/fetch_pipeline.hpp"
#include "core/time/text.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

namespace {

// A period is counted in a few pieces from the start, so that a record too many in one and one
// too few in another do not hide each other so easily.
constexpr int first_halvings = 2;

// Two counts that differ by more than this share are not worth halving: the piece is read.
constexpr std::uint64_t share_to_read = 4;

bool differs_much(std::uint64_t api, std::uint64_t file) {
    const std::uint64_t most = std::max(api, file);
    const std::uint64_t least = std::min(api, file);
    return (most - least) > most / share_to_read;
}

}  // namespace

asio::awaitable<AuditReport> Audit::run(WindowSet covered) {
    for (const Window& period : covered.windows()) {
        co_await examine_period(period);
    }
    co_await settle_places();
    co_await context_.store.recount();
    co_return std::move(report_);
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

asio::awaitable<std::uint64_t> Audit::count_in_file(Window window) {
    const LocalPeriod span = context_.settings.zone.span(window);
    co_return co_await context_.store.count(span.begin, span.end - Seconds(1));
}

// Nothing where the API does not serve so long a period.
asio::awaitable<std::optional<Audit::CountedRange>> Audit::counted(Window window) {
    CountedRange piece;
    piece.window = window;
    piece.file = co_await count_in_file(window);
    const std::optional<std::uint64_t> api =
        co_await count_at_api(context_.client, context_.settings, window.begin, window.end);
    if (!api) {
        co_return std::nullopt;
    }
    piece.api = *api;
    co_return piece;
}

asio::awaitable<void> Audit::examine_period(Window period) {
    const auto begin = co_await quiet(period, RowFreeNear::begin);
    const auto end = co_await quiet(period, RowFreeNear::end);
    if (!begin || !end || *begin >= *end) {
        to_read_.add(period);
        co_return;
    }
    to_read_.add({period.begin, *begin});
    to_read_.add({*end, period.end});

    std::vector<Window> pieces{{*begin, *end}};
    for (int halving = 0; halving < first_halvings; ++halving) {
        std::vector<Window> halves;
        for (const Window& piece : pieces) {
            const std::uint64_t rows = co_await count_in_file(piece);
            std::optional<Instant> cut;
            if (rows > context_.settings.page_size) {
                cut = co_await quiet(piece, RowFreeNear::middle);
            }
            if (cut && piece.begin < *cut && *cut < piece.end) {
                halves.push_back({piece.begin, *cut});
                halves.push_back({*cut, piece.end});
            } else {
                halves.push_back(piece);
            }
        }
        pieces = std::move(halves);
    }
    while (!pieces.empty()) {
        const Window window = pieces.back();
        pieces.pop_back();
        const std::optional<CountedRange> piece = co_await counted(window);
        if (!piece) {
            // Too long for the API: in halves, as far as it can be cut.
            const auto cut = co_await quiet(window, RowFreeNear::middle);
            if (cut && window.begin < *cut && *cut < window.end) {
                pieces.push_back({window.begin, *cut});
                pieces.push_back({*cut, window.end});
            } else {
                to_read_.add(window);
            }
            continue;
        }
        report_.api += piece->api;
        report_.file += piece->file;
        if (piece->api != piece->file) {
            counted_periods_.push_back(window);
            co_await examine(*piece);
        }
    }
}

// Narrows down a piece whose counts differ.
asio::awaitable<void> Audit::examine(CountedRange piece) {
    std::optional<Instant> cut;
    if (std::max(piece.api, piece.file) > context_.settings.page_size &&
        !differs_much(piece.api, piece.file)) {
        cut = co_await quiet(piece.window, RowFreeNear::middle);
    }
    if (!cut || *cut <= piece.window.begin || *cut >= piece.window.end) {
        to_read_.add(piece.window);
        co_return;
    }
    const std::optional<CountedRange> left = co_await counted({piece.window.begin, *cut});
    if (!left) {
        to_read_.add(piece.window);
        co_return;
    }
    if (left->api > piece.api || left->file > piece.file) {
        to_read_.add(piece.window);  // it moves: reading settles it
        co_return;
    }
    CountedRange right;
    right.window = {*cut, piece.window.end};
    right.api = piece.api - left->api;
    right.file = piece.file - left->file;
    if (left->api != left->file) {
        co_await examine(*left);
    }
    if (right.api != right.file) {
        co_await examine(right);
    }
}

// Reads what differs or could not be counted, and puts it right or takes its coverage away.
asio::awaitable<void> Audit::settle_places() {
    if (to_read_.empty()) {
        co_return;
    }
    ComparingSink comparing(context_.store, options_.repair);
    FetchPipeline pipeline(context_, comparing, to_read_);
    co_await pipeline.run();
    report_.written = pipeline.written();
    report_.unread = pipeline.unread();
    add_places(comparing.differences());

    if (options_.repair) {
        if (options_.prune) {
            for (const Window& window : comparing.read().windows()) {
                const LocalPeriod span = context_.settings.zone.span(window);
                report_.pruned += co_await context_.store.prune(span.begin, span.end);
            }
        }
        co_await verify_counts();
    }
    WindowSet untrue;
    if (!report_.repaired) {
        for (const AuditPlace& place : report_.places) {
            untrue.add(place.window);
        }
    }
    for (const plan::UnreadWindow& unread : report_.unread) {
        untrue.add(unread.window);
    }
    if (!untrue.empty()) {
        co_await context_.store.uncover(untrue);
    }
}

// Counts again where something was put right. Where reading found no difference, the counts
// differed for a row at a bound's own second, and reading is the better proof.
asio::awaitable<void> Audit::verify_counts() {
    report_.repaired = report_.unread.empty() && !report_.places.empty();
    const std::vector<AuditPlace> found = report_.places;
    for (const Window& window : counted_periods_) {
        const bool repaired_here = std::any_of(
            found.begin(), found.end(),
            [&](const AuditPlace& place) { return !intersection(place.window, window).empty(); });
        if (!repaired_here) {
            continue;
        }
        const std::optional<CountedRange> piece = co_await counted(window);
        if (piece && piece->api == piece->file) {
            continue;
        }
        report_.repaired = false;
        context_.observer.warning(fmt::format("{} to {} still differs after the repair",
                                              format_utc(window.begin), format_utc(window.end)));
        AuditPlace place;
        place.window = window;
        report_.places.push_back(place);
    }
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
