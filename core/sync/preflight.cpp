#include "core/sync/preflight.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "core/copernica/errors.hpp"
#include "core/copernica/machine_clock.hpp"
#include "core/plan/tail_plan.hpp"
#include "core/plan/zone_check.hpp"
#include "core/sync/errors.hpp"
#include "core/sync/metadata.hpp"
#include "core/sync/version_check.hpp"
#include "core/time/text.hpp"
#include "core/util/decimal.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

namespace {

// Replies that may be asked for until enough of them, one after the other, agree on the time. Some
// of them may come from a machine whose clock is wrong.
constexpr int most_clock_replies = 3 * copernica::ServerClock::agreement;

// How often this machine's clock is warned of.
constexpr std::chrono::hours clock_warning_interval(24);

}  // namespace

asio::awaitable<void> Preflight::run() {
    co_await identify();
    co_await recall_page_size();
    co_await cut_back_coverage(context_);
    co_await uncover_other_rules();
    co_await check_zone();
    co_await check_version(context_);
}

asio::awaitable<void> Preflight::identify() {
    co_await know_account();
    co_await recall_paths();
}

// Finds out whose token it is and what time the server has, once for all streams.
asio::awaitable<void> Preflight::know_account() {
    SharedContext& shared = context_.shared;
    const Semaphore::Permit turn = co_await shared.preflight.take();
    if (shared.account) {
        co_await claim(*shared.account);
        co_return;
    }
    co_await context_.requests.refuse_if_spent();
    copernica::Identity identity = co_await context_.client.identity_with_retry();
    shared.refusal_told.reset();
    co_await claim(identity);
    co_await context_.requests.open();
    co_await settle_clock();
    co_await warn_of_machine_clock(context_);
    shared.account = std::move(identity);
}

asio::awaitable<void> Preflight::claim(const copernica::Identity& identity) {
    file_is_ours_ = false;
    co_await context_.store.claim_account(identity.id, identity.name);
    file_is_ours_ = true;
    co_await context_.store.set_fact(metadata::requests_per_day,
                                     std::to_string(context_.settings.requests_per_day));
}

asio::awaitable<void> Preflight::settle_clock() {
    copernica::Client& client = context_.client;
    // If our clock and the server's disagree, a few replies settle which time it is.
    for (int reply = 1; reply < most_clock_replies && !client.server_clock_known(); ++reply) {
        co_await client.identity_with_retry();
    }
    if (!client.server_clock_known()) {
        throw copernica::ApiFailed(
            "the API's replies carry no Date that can be relied on, so nothing can be proved "
            "complete; is there a proxy in between?");
    }
}

// What an earlier run has learned.
asio::awaitable<void> Preflight::recall_page_size() {
    const std::optional<std::string> passes = co_await context_.store.fact(metadata::page_size);
    const std::optional<std::string> fails =
        co_await context_.store.fact(metadata::page_size_that_fails);
    const auto passing = read_decimal<std::uint32_t>(passes.value_or(""));
    const auto failing = read_decimal<std::uint32_t>(fails.value_or(""));
    if (passing && failing) {
        context_.adaptive.page_size.remember({*passing, *failing});
    }
}

// Of another version of the API, they mean nothing for this one.
asio::awaitable<void> Preflight::recall_paths() {
    copernica::Api& api = context_.shared.access.api();
    const auto version = co_await context_.store.fact(metadata::api_version);
    const auto paths = co_await context_.store.fact(metadata::api_paths);
    const auto family = copernica::path_family(paths.value_or(""));
    if (family && version == std::to_string(api.version())) {
        api.expect_paths(context_.stream(), *family);
    }
}

// The file was written with other rules of the zone than today's, old ones or misread ones: since
// the clocks changed last, other hours may have been asked for than the file says.
asio::awaitable<void> Preflight::uncover_other_rules() {
    const Zone& zone = context_.settings.zone;
    const WindowSet covered = co_await context_.store.covered_by_other_rules();
    WindowSet doubtful;
    for (const Window& window : covered.windows()) {
        const Instant since = zone.align_down(plan::rules_in_doubt_since(window.end, zone));
        doubtful.add({std::max(window.begin, since), window.end});
    }
    if (doubtful.empty()) {
        co_return;
    }
    context_.observer.warning(fmt::format(
        "the file was written with other rules of the time zone {} than this system has now; "
        "everything from {} to {} is read again",
        zone.name(), format_utc(doubtful.windows().front().begin),
        format_utc(doubtful.windows().back().end)));
    co_await context_.store.uncover(std::move(doubtful));
}

// A check with the rows of one stream is enough. A stream that keeps failing holds up none of the
// others.
asio::awaitable<void> Preflight::check_zone() {
    SharedContext& shared = context_.shared;
    if (shared.access.several_streams()) {
        const Semaphore::Permit turn = co_await shared.preflight.take();
        if (!shared.zone_checked) {
            try {
                const copernica::FetchedPage fetched =
                    co_await context_.client.page(rows_ahead(), repeated_hour);
                judge_zone(fetched.page);
            } catch (const copernica::ApiError& error) {
                context_.client.throw_if_patience_is_over(error);
                context_.observer.debug(error.what());
            }
        }
    }
    if (shared.zone_checked) {
        co_return;
    }
    const copernica::FetchedPage fetched =
        co_await context_.client.fetch_with_retry(rows_ahead(), repeated_hour);
    judge_zone(fetched.page);
}

copernica::PageQuery Preflight::rows_ahead() const {
    return plan::rows_ahead_query(context_.settings.zone, context_.client.server_now(),
                                  context_.settings.page_size);
}

void Preflight::judge_zone(const copernica::Page& page) {
    if (const auto why =
            plan::why_wrong_zone(page, context_.settings.zone, context_.client.server_now())) {
        throw WrongZone(*why);
    }
    context_.shared.zone_checked = true;
}

asio::awaitable<void> cut_back_coverage(RunContext& context) {
    const Instant settled = context.client.settled();
    const WindowSet coverage = co_await context.store.coverage(0);
    if (coverage.empty() || coverage.windows().back().end <= settled) {
        co_return;
    }
    const Window mistaken = plan::mistaken_coverage(settled, coverage.windows().back().end,
                                                    copernica::ServerClock::tolerance);
    if (mistaken.begin < settled) {
        context.observer.warning(fmt::format(
            "the file claims to be complete until {}, but by the API's clock only {} is settled; "
            "everything from {} on is read again",
            format_utc(mistaken.end), format_utc(settled), format_utc(mistaken.begin)));
    }
    const Window aligned{context.settings.zone.align_down(mistaken.begin), mistaken.end};
    co_await context.store.uncover(WindowSet(aligned));
}

asio::awaitable<void> warn_of_machine_clock(RunContext& context) {
    const copernica::ServerClock& api = context.shared.access.server_clock();
    std::optional<Monotonic>& warned = context.shared.clock_warned;
    const Monotonic now = context.clock.monotonic();
    if (!api.accepted() || api.in_doubt() || (warned && now - *warned < clock_warning_interval)) {
        co_return;
    }
    const Instant server_now = api.now(now);
    const auto why = copernica::why_machine_clock_is_off(context.clock.utc() - server_now);
    if (!why) {
        co_return;
    }
    warned = now;  // at once: another stream may ask while the file is read
    const auto before = metadata::read_instant(co_await context.store.fact(metadata::clock_warned));
    if (before && *before <= server_now && server_now - *before < clock_warning_interval) {
        warned = now - (server_now - *before);  // by an earlier command
        co_return;
    }
    context.shared.observer.warning(fmt::format("{}; {}", *why, copernica::machine_clock_advice));
    co_await context.store.set_fact(metadata::clock_warned, metadata::seconds_text(server_now));
}

asio::awaitable<Instant> following_since(RunContext& context) {
    const std::optional<std::string> text = co_await context.store.fact(metadata::following_since);
    if (const auto known = metadata::read_instant(text)) {
        co_return *known;
    }
    const Instant now = context.client.settled();
    co_await context.store.set_fact(metadata::following_since, metadata::seconds_text(now));
    co_return now;
}

}  // namespace mirror::sync
