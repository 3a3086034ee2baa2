#include "core/sync/window_fetcher.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "core/copernica/errors.hpp"
#include "core/copernica/retry_policy.hpp"
#include "core/plan/recheck.hpp"
#include "core/plan/window_aim.hpp"
#include "core/plan/window_reader.hpp"
#include "core/sync/account_probe.hpp"
#include "core/sync/horizon.hpp"
#include "core/sync/metadata.hpp"
#include "core/time/text.hpp"

namespace mirror::sync {

namespace asio = boost::asio;
using copernica::ApiError;
using copernica::ErrorKind;
using plan::WindowReader;
using plan::WindowTask;

namespace {

// A window whose count exceeds this share of the wanted records is cut if it cannot be read to an
// earlier end: its first page is lost then.
constexpr double most_share = 2;

// Requests that are expected to take as long as there is time left would often be too late.
constexpr double safety = 1.25;

// What a large page can meet and a small one cannot: a time limit, a cut. One bad record is met by
// any page that it is on.
bool may_be_too_large(const ApiError& error) {
    const bool may_be = error.kind() == ErrorKind::try_again || error.maybe_too_large();
    return may_be && !error.unreachable() && copernica::concerns_request(error);
}

}  // namespace

asio::awaitable<std::optional<WholeWindow>> WindowFetcher::fetch(WindowTask task,
                                                                 WindowEvents& events) {
    plan::EmptinessLedger& emptiness = context_.adaptive.emptiness;
    WindowReader::Request request;
    request.window = task.window;
    request.page_size = context_.adaptive.page_size.now();
    if (scheduler_.divisible(task.window)) {
        request.most_records = plan::most_records(context_.adaptive.planner.rows_wanted());
    }
    std::optional<WindowReader> reader;
    reader.emplace(context_.settings.zone, request);
    std::optional<Instant> valid_until;
    int empty_replies = 0;
    bool counted = false;
    std::optional<plan::FailedPage> failed_page;
    for (;;) {
        // Anew before each request: some take longer than was thought.
        if (context_.stop.requested() && !go_on_before_the_end(task, *reader)) {
            co_return std::nullopt;
        }
        const copernica::PageQuery query = reader->query();
        copernica::FetchedPage fetched;
        std::optional<ApiError> failed;
        try {
            fetched = co_await context_.client.page(query, reader->slack(), lane_);
        } catch (const ApiError& error) {
            failed = error;
        }
        if (failed) {
            scheduler_.delayed(task);
            events.delayed();
            if (context_.stop.requested()) {
                co_return std::nullopt;
            }
            Attempt attempt{task, *reader, failed_page};
            const bool again = co_await same_again(attempt, *failed);
            if (!again) {
                co_return std::nullopt;
            }
            continue;
        }
        task.failures = 0;
        const std::size_t records = fetched.page.records();
        const bool first_page = query.total;
        if (first_page) {
            valid_until = std::min(valid_until.value_or(fetched.valid_until), fetched.valid_until);
        }
        learn(query, fetched);
        const WindowReader::Verdict verdict = reader->accept(std::move(fetched.page));
        co_await learn_page_size(failed_page, query.limit, records,
                                 verdict == WindowReader::Verdict::whole);
        events.received(reader->received());
        switch (verdict) {
            case WindowReader::Verdict::read_on:
                if (first_page) {
                    scheduler_.counted(task, *reader->total());
                    const std::uint64_t expected = fill_pages(task, *reader);
                    events.counted(expected);
                    counted = true;
                }
                // What was learned meanwhile holds for the rest of a long window, too.
                if (!failed_page && reader->query().limit != context_.adaptive.page_size.now()) {
                    reader->limit_pages(context_.adaptive.page_size.now());
                }
                continue;
            case WindowReader::Verdict::too_many:
                if (const auto expected = go_on_crowded(task, *reader)) {
                    events.counted(*expected);
                    counted = true;
                    continue;
                }
                co_return std::nullopt;
            case WindowReader::Verdict::not_whole:
                context_.observer.debug(fmt::format("{} to {} did not add up to its total of {}",
                                                    format_utc(task.window.begin),
                                                    format_utc(task.window.end), *reader->total()));
                scheduler_.not_whole(
                    task, fmt::format("the records received never added up to the total that the "
                                      "API gave ({})",
                                      *reader->total()));
                co_return std::nullopt;
            case WindowReader::Verdict::whole:
                break;
        }
        if (*reader->total() > 0) {
            emptiness.rows_seen(task.window);
            break;
        }
        ++empty_replies;
        const bool accepted = co_await accept_empty(task, empty_replies);
        if (accepted) {
            emptiness.taken_for_empty(task.window);
            break;
        }
        reader.emplace(context_.settings.zone, request);
        valid_until.reset();
    }
    if (!counted) {
        scheduler_.counted(task, *reader->total());
    }
    scheduler_.done(task);
    WholeWindow whole = whole_window(task, *valid_until, reader->take_records());
    // A little less than hoped for is left to the next poll; more is asked again.
    const Window rest{std::max(whole.proven.end, task.window.begin),
                      std::min(task.window.end, context_.client.settled())};
    if (rest.width() > copernica::ServerClock::tolerance) {
        WindowTask late = task;
        late.window = rest;
        late.sampled = {};
        scheduler_.not_proven(late,
                              "the replies carried a Date too early to speak for this period");
    }
    co_return whole;
}

WholeWindow WindowFetcher::whole_window(const WindowTask& task, Instant valid_until,
                                        Records records) const {
    const Settings& settings = context_.settings;
    WholeWindow whole;
    whole.window = task.window;
    const Instant proven_end =
        std::min(task.window.end, settings.zone.align_down(valid_until - settings.settle));
    whole.proven = {task.window.begin, std::max(task.window.begin, proven_end)};
    for (const Seconds age : settings.recheck_ages) {
        const Window covered = plan::covered_at_age(whole.proven, valid_until, age);
        if (!covered.empty()) {
            whole.aged.push_back({age, covered});
        }
    }
    whole.records = std::move(records);
    whole.read_at = valid_until;
    return whole;
}

// What a window should hold so that its pages are full, if its count says that it does not.
std::optional<std::uint64_t> WindowFetcher::better_total(const WindowReader& reader) const {
    plan::WindowFill fill;
    fill.total = *reader.total();
    fill.received = reader.received();
    fill.wanted = context_.adaptive.planner.rows_wanted();
    fill.page_size = reader.query().limit;
    return plan::better_total(fill);
}

// A window whose end nothing follows yet ends where its pages are full. Returns how many records it
// has then.
std::uint64_t WindowFetcher::fill_pages(WindowTask& task, WindowReader& reader) {
    const std::uint64_t total = *reader.total();
    const auto latest_end =
        context_.stop.requested() ? std::optional<Instant>() : scheduler_.latest_end(task);
    const auto target = latest_end ? better_total(reader) : std::nullopt;
    const auto moved = target ? reader.move_end(*target, *latest_end) : std::nullopt;
    if (!moved) {
        return total;
    }
    scheduler_.moved_end(task, *moved);
    return *target;
}

// A window with more records than it should have: it is read to an earlier end, or as a whole, or
// cut. Returns how many records are read then; nothing if it was cut.
std::optional<std::uint64_t> WindowFetcher::go_on_crowded(WindowTask& task, WindowReader& reader) {
    const std::uint64_t total = *reader.total();
    const bool may_move = task.sampled.empty() && task.moves < plan::WindowScheduler::most_moves;
    const auto target = may_move ? better_total(reader) : std::nullopt;
    if (target && *target < total) {
        if (const auto narrower = reader.move_end(*target, task.window.end)) {
            scheduler_.counted(task, total);
            scheduler_.moved_end(task, *narrower);
            return *target;
        }
    }
    const std::uint64_t wanted = context_.adaptive.planner.rows_wanted();
    const bool far_too_many = static_cast<double>(total) > most_share * static_cast<double>(wanted);
    if (far_too_many && scheduler_.cut(task, total)) {
        return std::nullopt;
    }
    scheduler_.counted(task, total);
    return total;
}

// Whether a window can still be made whole, perhaps with an earlier end, before everything ends.
bool WindowFetcher::go_on_before_the_end(WindowTask& task, WindowReader& reader) const {
    const double left = context_.stop.time_left(context_.client.monotonic()).count();
    const double request =
        safety * plan::slot_seconds(context_.adaptive.list.facts(), reading_limits());
    if (request > left) {
        return false;
    }
    if (!reader.total()) {
        return true;  // one request may be all that is missing
    }
    const std::uint64_t page = std::max<std::uint64_t>(reader.query().limit, 1);
    // How many there are up to an end that was moved is not known before that is counted.
    const std::uint64_t records = reader.query().total ? 1 : reader.left();
    const std::uint64_t pages = (records + page - 1) / page;
    if (static_cast<double>(pages) * request <= left) {
        return true;
    }
    const std::optional<Window> narrower = reader.narrow_to_known();
    if (!narrower || !task.sampled.empty()) {
        return false;
    }
    task.window = *narrower;
    return true;
}

plan::ReadingLimits WindowFetcher::reading_limits() const {
    plan::ReadingLimits limits;
    limits.page_size = context_.settings.page_size;
    limits.most_pages = AdaptiveState::pages_a_window;
    limits.connections = context_.settings.connections;
    limits.requests_per_second = context_.settings.requests_per_second;
    return limits;
}

// What a reply shows of the API beside its records.
void WindowFetcher::learn(const copernica::PageQuery& query,
                          const copernica::FetchedPage& fetched) {
    AdaptiveState& adaptive = context_.adaptive;
    adaptive.list.observe_rows(fetched.page.rows);
    // What is not a full page says less of what a full one takes.
    if (fetched.page.records() * 2 > query.limit) {
        adaptive.list.observe_request(query.start, fetched.took);
    }
    adaptive.way = plan::cheapest_way(adaptive.list.facts(), reading_limits());
    adaptive.planner.want(adaptive.way.rows);
    scheduler_.read_as(adaptive.way);
}

// Decides about a failed request: true if the window is to be asked for again.
asio::awaitable<bool> WindowFetcher::same_again(Attempt& attempt, const ApiError& error) {
    WindowTask& task = attempt.task;
    plan::PageSize& page_size = context_.adaptive.page_size;
    const std::uint32_t size = attempt.reader.query().limit;
    context_.observer.debug(error.what());
    if (page_size.is_trial(size) && may_be_too_large(error)) {
        // It is known which size passes.
        page_size.trial_failed(size);
        attempt.reader.limit_pages(page_size.now());
        co_return true;
    }
    task.failures += copernica::concerns_request(error) ? 1 : 0;
    copernica::Client::Failed failed{error, task.failures, copernica::failures_before_probe, lane_};
    const bool again = co_await context_.client.is_worth_retrying(std::move(failed));
    if (again || try_smaller_pages(attempt, error)) {
        co_return true;
    }
    // The last chance of what cannot be made smaller.
    if (error.kind() != ErrorKind::request_refused && !scheduler_.divisible(task.window) &&
        task.sampled.empty() && task.failures < copernica::failures_before_giving_up) {
        co_return true;
    }
    scheduler_.at_fault(task, error.what());
    co_return false;
}

// Whether the fault may be the size of the page: others, which are small, are answered.
bool WindowFetcher::try_smaller_pages(Attempt& attempt, const ApiError& error) {
    const plan::PageSize& page_size = context_.adaptive.page_size;
    const std::uint32_t size = attempt.reader.query().limit;
    if (!may_be_too_large(error)) {
        return false;
    }
    std::optional<std::uint32_t> smaller;
    if (size > page_size.now()) {
        smaller = page_size.now();  // learned meanwhile
    } else if (!attempt.task.narrowed) {
        smaller = plan::PageSize::smaller_than(size);
    }
    if (!smaller) {
        return false;
    }
    if (!attempt.failed_page) {
        attempt.failed_page.emplace(size);
    }
    attempt.reader.limit_pages(*smaller);
    attempt.task.failures = copernica::failures_before_probe - 1;  // one failure is enough here
    return true;
}

// What a page that came says of the size of pages. It outlives the process.
asio::awaitable<void> WindowFetcher::learn_page_size(std::optional<plan::FailedPage>& failed_page,
                                                     std::uint32_t size, std::size_t records,
                                                     bool all_came) {
    plan::PageSize& page_size = context_.adaptive.page_size;
    const auto known = page_size.known();
    if (failed_page && size < failed_page->size()) {
        if (!failed_page->replaced_by(records, all_came)) {
            co_return;
        }
        page_size.learn(failed_page->size(), size);
        context_.observer.info(
            fmt::format("pages of {} records keep failing; asking for {} at a time",
                        failed_page->size(), size));
    } else {
        page_size.served(size, records);
    }
    failed_page.reset();
    const auto now_known = page_size.known();
    if (now_known == known) {
        co_return;
    }
    std::map<std::string, std::string> facts;
    facts[metadata::page_size] = now_known ? std::to_string(now_known->passes) : std::string();
    facts[metadata::page_size_that_fails] =
        now_known ? std::to_string(now_known->fails) : std::string();
    co_await context_.store.set_facts(std::move(facts));
}

// Whether so many empty replies are enough for this window.
asio::awaitable<bool> WindowFetcher::accept_empty(WindowTask& task, int replies) {
    const Zone& zone = context_.settings.zone;
    const LocalPeriod span = zone.span(task.window);
    // What may have expired need not be shown.
    const std::optional<Instant> first = co_await first_shown(context_);
    const LocalTime begin = std::max(span.begin, first ? zone.to_local(*first) : span.begin);
    std::uint64_t known = 0;
    if (begin < span.end) {
        known = co_await context_.store.count(begin, span.end - Seconds(1));
    }
    const int needed = task.doubtful
                           ? replies_for_nothing
                           : context_.adaptive.emptiness.replies_needed(task.window, known > 0);
    if (replies >= needed) {
        co_return true;
    }
    if (known > 0 && replies == 1) {
        const auto newest =
            co_await context_.store.newest_rows(zone.to_local(context_.client.settled()));
        std::optional<LocalTime> row;
        if (newest) {
            row = newest->time;
        }
        const std::optional<bool> shows =
            co_await shows_anything(context_.client, context_.settings, row);
        task.doubtful = !shows;
        if (shows == false && newest && zone.latest(newest->time) < old_enough(context_)) {
            co_return true;  // all that the file has may have expired; counts decide
        }
        if (shows == false) {
            throw copernica::ApiFailed(fmt::format(
                "the API shows no {} at all, while the file has {} of {} to {}; nothing "
                "was changed",
                context_.stream().name, known, format_local(span.begin), format_local(span.end)));
        }
    }
    co_return false;
}

}  // namespace mirror::sync
