#include "core/sync/statistics_audit.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "core/copernica/errors.hpp"
#include "core/plan/audit_plan.hpp"
#include "core/plan/request_budget.hpp"
#include "core/sync/horizon_seeker.hpp"
#include "core/sync/preflight.hpp"
#include "core/util/duration_text.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

namespace {

// More are announced.
constexpr std::size_t many_requests = 50;

// If the first mailings fail so often in a row, the API does not serve statistics.
constexpr std::size_t failures_at_first = 3;

// Seconds that are tried for one at which no stream has anything.
constexpr int most_seconds_tried = 10'000;

// The next instant, in one direction, that a local second names and no other one does.
Instant next_plain(const Zone& zone, Instant at, bool forward) {
    while (!plan::is_plain(zone, at)) {
        at = forward ? std::max(zone.align_up(at), at + Seconds(1))
                     : std::min(zone.align_down(at), at - Seconds(1));
    }
    return at;
}

}  // namespace

bool StatisticsReport::agrees() const {
    const auto is_whole = [](const OfStream& stream) {
        return stream.compared && stream.uncovered.empty();
    };
    return !period.empty() && std::all_of(streams.begin(), streams.end(), is_whole) &&
           differences.empty() && not_counted.empty();
}

StatisticsAudit::StatisticsAudit(std::vector<RunContext*> contexts)
    : contexts_(std::move(contexts)) {
    for (RunContext* const context : contexts_) {
        if (context->stream().statistics != StatisticsForm::none) {
            counted_.push_back(context);
            recorders_.emplace_back(*context, "audit");
        }
    }
}

asio::awaitable<StatisticsReport> StatisticsAudit::run(StatisticsRequest request) {
    for (RunRecorder& recorder : recorders_) {
        recorder.begin();
    }
    std::exception_ptr failed;
    try {
        co_await compare(request);
    } catch (...) {
        failed = std::current_exception();
    }
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    for (const RunContext* const context : contexts_) {
        report_.requests += context->client.requests();
    }
    co_await record(failed);
    co_return std::move(report_);
}

asio::awaitable<void> StatisticsAudit::compare(StatisticsRequest request) {
    co_await identify();
    co_await choose_period(request);
    if (!compared_.empty()) {
        co_await bound_by_free_seconds();
    }
    if (report_.period.empty()) {
        co_return;
    }
    const std::vector<std::int64_t> mailings = co_await count_file();
    announce(mailings.size());
    for (const std::int64_t mailing : mailings) {
        if (!plan::may_begin(plan::Purpose::recheck, asking().budget())) {
            throw BudgetSpent(asking().requests.why_spent());
        }
        co_await compare_mailing(mailing);
    }
    explain();
}

asio::awaitable<void> StatisticsAudit::identify() {
    for (RunContext* const context : contexts_) {
        Preflight preflight(*context);
        try {
            co_await preflight.identify();
        } catch (...) {
            file_is_ours_ = preflight.file_is_ours();
            throw;
        }
    }
}

// A stream for which the API fails does not hold up the others, unless it fails for all of them.
asio::awaitable<void> StatisticsAudit::choose_period(StatisticsRequest request) {
    const Instant settled = counted_.front()->client.settled();
    Window wanted{Instant::min(), settled};
    std::optional<Instant> from;
    if (request.from) {
        from = zone().align_down(zone().earliest(*request.from));
        wanted.begin = *from;
    }
    if (request.to) {
        wanted.end = std::min(settled, zone().align_up(zone().latest(*request.to)));
    }
    std::vector<plan::ComparableStream> streams;
    std::exception_ptr first_failure;
    std::size_t failures = 0;
    for (RunContext* const context : counted_) {
        StatisticsReport::OfStream of_stream;
        of_stream.stream = &context->stream();
        try {
            plan::ComparableStream looked_at = co_await look_at(*context, wanted);
            streams.push_back(std::move(looked_at));
        } catch (const copernica::ApiFailed& error) {
            of_stream.failed = error.what();
            streams.emplace_back();
            first_failure = first_failure ? first_failure : std::current_exception();
            ++failures;
        }
        report_.streams.push_back(std::move(of_stream));
    }
    if (failures == counted_.size()) {
        std::rethrow_exception(first_failure);
    }
    plan::StatisticsPeriod chosen = plan::statistics_period(streams, from, wanted.end);
    report_.period = chosen.window;
    for (std::size_t i = 0; i < counted_.size(); ++i) {
        StatisticsReport::OfStream& of_stream = report_.streams[i];
        if (of_stream.failed) {
            continue;
        }
        of_stream.uncovered = std::move(chosen.uncovered[i]);
        of_stream.compared = !chosen.window.empty() && streams[i].covered.contains(chosen.window);
        if (of_stream.compared) {
            Compared compared;
            compared.context = counted_[i];
            compared_.push_back(std::move(compared));
        }
    }
    if (compared_.empty()) {
        report_.period = {};
    }
}

asio::awaitable<plan::ComparableStream> StatisticsAudit::look_at(RunContext& context,
                                                                 Window wanted) {
    plan::ComparableStream stream;
    stream.covered = co_await context.store.coverage(0);
    stream.shown_from = co_await first_shown_now(context, stream.covered.within(wanted));
    co_return stream;
}

asio::awaitable<void> StatisticsAudit::bound_by_free_seconds() {
    const auto begin = co_await free_second(RowFreeNear::begin);
    const auto end = co_await free_second(RowFreeNear::end);
    report_.period = begin && end && *begin < *end ? Window{*begin, *end} : Window{};
    if (report_.period.empty()) {
        for (StatisticsReport::OfStream& stream : report_.streams) {
            stream.compared = false;
        }
        asking().shared.observer.warning(
            "each second of the period has events around it in some stream, so nothing can be "
            "compared; name a longer period");
    }
}

// The first, or the last, second of the period that is free in all streams.
asio::awaitable<std::optional<Instant>> StatisticsAudit::free_second(RowFreeNear near) {
    const Window period = report_.period;
    const bool forward = near == RowFreeNear::begin;
    Instant at = forward ? period.begin : period.end;
    std::size_t agreed = 0;  // streams in a row
    for (int tries = 0; tries < most_seconds_tried; ++tries) {
        const Instant plain = next_plain(zone(), at, forward);
        agreed = plain == at ? agreed : 0;
        at = plain;
        if (at < period.begin || at > period.end) {
            co_return std::nullopt;
        }
        if (agreed == compared_.size()) {
            co_return at;
        }
        const Window rest = forward ? Window{at, std::max(period.end, at + Seconds(1))}
                                    : Window{std::min(period.begin, at - Seconds(1)), at};
        const LocalPeriod span = zone().span(rest);
        Store& store = compared_[static_cast<std::size_t>(tries) % compared_.size()].context->store;
        const auto second = co_await store.row_free_second(span.begin, span.end, near);
        if (!second) {
            co_return std::nullopt;
        }
        const Instant found = zone().earliest(*second);
        agreed = found == at ? agreed + 1 : 1;
        at = found;
    }
    co_return std::nullopt;
}

// Which mailings there are: those of events, and those that the stream of mailings has.
asio::awaitable<std::vector<std::int64_t>> StatisticsAudit::count_file() {
    const LocalTime begin = zone().to_local(report_.period.begin);
    const LocalTime end = zone().to_local(report_.period.end);
    std::set<std::int64_t> mailings;
    for (Compared& compared : compared_) {
        compared.file = co_await compared.context->store.mailing_counts(begin, end, std::nullopt);
        for (const auto& [mailing, count] : compared.file.by_mailing) {
            mailings.insert(mailing);
        }
    }
    for (RunContext* const context : contexts_) {
        if (context->stream().statistics == StatisticsForm::none) {
            const plan::MailingCounts sent =
                co_await context->store.mailing_counts(begin, end, std::nullopt);
            for (const auto& [mailing, count] : sent.by_mailing) {
                mailings.insert(mailing);
            }
        }
    }
    co_return std::vector<std::int64_t>(mailings.begin(), mailings.end());
}

void StatisticsAudit::announce(std::size_t mailings) const {
    const RunContext& asking = *compared_.front().context;
    if (mailings <= many_requests) {
        return;
    }
    const unsigned rate = std::max(asking.settings.requests_per_second, 1U);
    asking.shared.observer.info(fmt::format(
        "{} mailings are compared with the API's statistics: {} requests, at least {} at {} a "
        "second",
        mailings, mailings, duration_text(Seconds((mailings + rate - 1) / rate)), rate));
}

asio::awaitable<copernica::FetchedStatistics> StatisticsAudit::ask(std::int64_t mailing) {
    copernica::StatisticsQuery query;
    query.mailing = mailing;
    query.begintime = zone().to_local(report_.period.begin);
    query.endtime = zone().to_local(report_.period.end);
    for (const Compared& compared : compared_) {
        query.streams.push_back(&compared.context->stream());
    }
    co_return co_await asking().client.statistics_unless_at_fault(std::move(query));
}

asio::awaitable<void> StatisticsAudit::compare_mailing(std::int64_t mailing) {
    copernica::FetchedStatistics fetched = co_await ask(mailing);
    if (fetched.failed) {
        note_not_counted(mailing, std::move(fetched.failed));
    } else if (fetched.counts && differences(mailing, *fetched.counts).empty()) {
        ++report_.mailings;
    } else {
        co_await compare_again(mailing);
    }
}

// Events may have come, or have been stored, since the file was counted; and one reply alone is no
// proof.
asio::awaitable<void> StatisticsAudit::compare_again(std::int64_t mailing) {
    const LocalTime begin = zone().to_local(report_.period.begin);
    const LocalTime end = zone().to_local(report_.period.end);
    for (Compared& compared : compared_) {
        const plan::MailingCounts now =
            co_await compared.context->store.mailing_counts(begin, end, mailing);
        const auto found = now.by_mailing.find(mailing);
        compared.file.by_mailing[mailing] =
            found == now.by_mailing.end() ? plan::MailingCount() : found->second;
    }
    copernica::FetchedStatistics fetched = co_await ask(mailing);
    if (!fetched.counts) {
        note_not_counted(mailing, std::move(fetched.failed));
        co_return;
    }
    ++report_.mailings;
    for (const plan::StatisticsDifference& difference : differences(mailing, *fetched.counts)) {
        report_.differences.push_back(difference);
    }
}

std::vector<plan::StatisticsDifference> StatisticsAudit::differences(
    std::int64_t mailing, const std::vector<copernica::EventCount>& api) const {
    std::vector<plan::StatisticsDifference> all;
    for (std::size_t i = 0; i < compared_.size(); ++i) {
        const auto& by_mailing = compared_[i].file.by_mailing;
        const auto found = by_mailing.find(mailing);
        const plan::MailingCount file =
            found == by_mailing.end() ? plan::MailingCount() : found->second;
        const auto of_stream =
            plan::differences_of(mailing, compared_[i].context->stream(), api.at(i), file);
        all.insert(all.end(), of_stream.begin(), of_stream.end());
    }
    return all;
}

void StatisticsAudit::note_not_counted(std::int64_t mailing, std::optional<std::string> failed) {
    StatisticsReport::NotCounted not_counted;
    not_counted.mailing = mailing;
    for (const Compared& compared : compared_) {
        const auto found = compared.file.by_mailing.find(mailing);
        not_counted.events += found == compared.file.by_mailing.end() ? 0 : found->second.total;
    }
    not_counted.failed = std::move(failed);
    report_.not_counted.push_back(std::move(not_counted));
    const auto has_failed = [](const StatisticsReport::NotCounted& one) {
        return one.failed.has_value();
    };
    if (report_.mailings == 0 && report_.not_counted.size() == failures_at_first &&
        std::all_of(report_.not_counted.begin(), report_.not_counted.end(), has_failed)) {
        throw copernica::ApiFailed(*report_.not_counted.back().failed);
    }
}

void StatisticsAudit::explain() {
    for (const Compared& compared : compared_) {
        const auto explained = plan::take_explained(report_.differences, compared.context->stream(),
                                                    compared.file.unattributed);
        if (explained) {
            report_.unattributed.push_back(*explained);
        }
    }
}

// What a stream's row of `runs` says.
Outcome StatisticsAudit::outcome_of(const StatisticsReport::OfStream& stream) const {
    Outcome outcome;
    outcome.period = report_.period;
    const bool differs =
        std::any_of(report_.differences.begin(), report_.differences.end(),
                    [&](const auto& difference) { return difference.stream == stream.stream; });
    if (differs || !report_.not_counted.empty() || !stream.uncovered.empty()) {
        outcome.found = "the API's statistics differ";
    }
    return outcome;
}

// To be called with cancellation disabled. Throws what ended the run, or else why it could not be
// written down.
asio::awaitable<void> StatisticsAudit::record(std::exception_ptr failed) {
    std::exception_ptr first_error = failed;
    for (std::size_t i = 0; i < recorders_.size(); ++i) {
        RunRecorder::Ending ending;
        ending.failed = failed;
        ending.file_is_ours = file_is_ours_;
        ending.row_alone = true;
        Outcome outcome;
        if (!failed) {
            outcome = outcome_of(report_.streams[i]);
            ending.compared_nothing = !report_.streams[i].compared;
        }
        try {
            co_await recorders_[i].ended(std::move(outcome), std::move(ending));
        } catch (...) {
            first_error = first_error ? first_error : std::current_exception();
        }
    }
    if (first_error) {
        std::rethrow_exception(first_error);
    }
}

}  // namespace mirror::sync
