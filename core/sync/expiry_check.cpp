#include "core/sync/expiry_check.hpp"

#include <algorithm>
#include <optional>

#include "core/plan/horizon.hpp"
#include "core/sync/horizon.hpp"
#include "core/sync/horizon_seeker.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

namespace {

std::optional<LocalTime> first_time(const Records& records) {
    std::optional<LocalTime> first;
    const auto consider = [&first](LocalTime time) {
        first = std::min(first.value_or(time), time);
    };
    PackedRows::Reader reader = records.rows.read();
    while (const Row* const row = reader.next()) {
        consider(row->time);
    }
    for (const Reject& reject : records.rejects) {
        if (reject.time) {
            consider(*reject.time);
        }
    }
    return first;
}

}  // namespace

ExpiryCheck::ExpiryCheck(RunContext& context, const WindowSet& todo) : context_(context) {
    if (!todo.empty()) {
        period_ = {todo.windows().front().begin, todo.windows().back().end};
    }
}

asio::awaitable<void> ExpiryCheck::begin() {
    const Window old{period_.begin, std::min(period_.end, old_enough(context_))};
    if (begun_ || old.empty()) {
        co_return;
    }
    begun_ = true;
    const LocalPeriod span = context_.settings.zone.span(old);
    const auto known = co_await context_.store.nth_record(span.begin, span.end, 0);
    any_old_rows_ = known.has_value();
}

asio::awaitable<void> ExpiryCheck::judge(WholeWindow& whole) {
    const Instant can_expire_before = old_enough(context_);
    if (any_old_rows_ == false || whole.proven.empty() || whole.proven.begin >= can_expire_before) {
        co_return;
    }
    const Zone& zone = context_.settings.zone;
    const LocalPeriod span = zone.span(whole.proven);
    const auto known = co_await context_.store.nth_record(span.begin, span.end, 0);
    if (!known) {
        co_return;
    }
    // A count would not do: as many rows may have come late as have expired.
    plan::FirstRecords first{zone.earliest(*known), std::nullopt};
    if (const auto shown = first_time(whole.records)) {
        first.api = zone.earliest(*shown);
    }
    const Instant begin = context_.everything().begin;
    const std::optional<Instant> horizon = co_await first_shown(context_);
    std::optional<Window> older = plan::unshown_if_expired(
        first, std::max(begin, horizon.value_or(begin)), can_expire_before);
    if (!older) {
        co_return;
    }
    older->end = zone.align_down(older->end);
    const bool none = co_await shows_none(*older);
    if (none) {
        context_.adaptive.expiry_suspected = true;
        whole.expired_before = plan::expired_before(first, can_expire_before);
    }
}

// What is known from other windows is not asked again.
asio::awaitable<bool> ExpiryCheck::shows_none(Window older) {
    if (shown_before_ && *shown_before_ <= older.end) {
        co_return false;
    }
    if (nothing_before_ && older.end <= *nothing_before_) {
        co_return true;
    }
    HorizonSeeker seeker(context_);
    const bool none = co_await seeker.shows_none(older);
    if (none) {
        nothing_before_ = std::max(nothing_before_.value_or(older.end), older.end);
    } else {
        shown_before_ = std::min(shown_before_.value_or(older.end), older.end);
    }
    co_return none;
}

}  // namespace mirror::sync
