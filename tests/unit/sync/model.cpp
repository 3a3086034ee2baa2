#include "tests/unit/sync/model.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include "core/time/text.hpp"

namespace mirror::tests {

namespace asio = boost::asio;

namespace {

// A number that has nothing to do with the place, but stays the same.
std::uint64_t scrambled(std::uint64_t value) {
    value ^= value >> 31;
    value *= 0x9e3779b97f4a7c15ULL;
    value ^= value >> 29;
    value *= 0xbf58476d1ce4e5b9ULL;
    return value ^ (value >> 32);
}

// Steps of coroutines that work, so that no time passes meanwhile.
std::uint64_t steps = 0;

// Lets the other coroutines run; throws when the caller was cancelled meanwhile.
asio::awaitable<void> yield() {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
        throw boost::system::system_error(asio::error::operation_aborted);
    }
}

// As yield(), for what is never cancelled.
asio::awaitable<void> yield_always() {
    ++steps;
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

// One sleeper among those of a clock, until he wakes or is cancelled.
class Asleep {
  public:
    Asleep(std::multiset<std::chrono::milliseconds>& wakes, std::chrono::milliseconds until)
        : wakes_(wakes), place_(wakes.insert(until)) {}
    ~Asleep() { wakes_.erase(place_); }
    Asleep(const Asleep&) = delete;
    Asleep& operator=(const Asleep&) = delete;

    bool first() const { return *place_ == *wakes_.begin(); }
    std::chrono::milliseconds until() const { return *place_; }

  private:
    std::multiset<std::chrono::milliseconds>& wakes_;
    std::multiset<std::chrono::milliseconds>::iterator place_;
};

}  // namespace

Instant utc(const std::string& text) {
    return Instant(parse_local(text).value().time_since_epoch());
}

LocalTime local(const std::string& text) {
    return parse_local(text).value();
}

Instant FakeClock::utc() const {
    return now() + error_;
}

asio::awaitable<void> FakeClock::sleep(std::chrono::milliseconds duration) {
    // Between two steps there may be turns of the loop that nobody counts.
    constexpr int quiet_turns = 12;
    const Asleep asleep(wakes_, passed_ + duration);
    std::uint64_t seen = steps;
    for (int quiet = 0; quiet < quiet_turns || held_ || !asleep.first(); ++quiet) {
        co_await yield();
        if (std::exchange(seen, steps) != steps || !asleep.first() || (busy && busy())) {
            quiet = 0;
        }
    }
    ++steps;
    passed_ = std::max(passed_, asleep.until());
    if (on_time) {
        on_time();
    }
}

void FakeClock::advance_to(Instant at) {
    passed_ = std::max(passed_, std::chrono::milliseconds(at - start_));
}

void Model::add(Instant at, bool nameless) {
    add_as(nameless ? 0 : next_id_, at);
    ++next_id_;
}

void Model::add_as(std::int64_t id, Instant at) {
    LoggedRow row;
    row.id = id;
    row.at = at;
    row.time = zone.to_local(at);
    rows_.push_back(row);
    sorted_by_.reset();
    next_id_ = std::max(next_id_, id + 1);
}

void Model::erase(std::size_t place) {
    rows_.erase(rows_.begin() + static_cast<std::ptrdiff_t>(place));
    sorted_by_.reset();
}

void Model::sort() const {
    if (sorted_by_ == order) {
        return;
    }
    sorted_.resize(rows_.size());
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        sorted_[i] = i;
    }
    const auto by = [&](const auto& less) {
        std::stable_sort(sorted_.begin(), sorted_.end(),
                         [&](std::size_t a, std::size_t b) { return less(rows_[a], rows_[b]); });
    };
    switch (order) {
        case Order::time:
            by([](const LoggedRow& a, const LoggedRow& b) { return a.time < b.time; });
            break;
        case Order::time_descending:
            by([](const LoggedRow& a, const LoggedRow& b) { return b.time < a.time; });
            break;
        case Order::id:
            by([](const LoggedRow& a, const LoggedRow& b) { return a.id < b.id; });
            break;
        case Order::hash:
            by([](const LoggedRow& a, const LoggedRow& b) {
                const auto key = [](const LoggedRow& row) {
                    return scrambled(static_cast<std::uint64_t>(
                        row.id + row.at.time_since_epoch().count() * 1000));
                };
                return key(a) < key(b);
            });
            break;
    }
    sorted_by_ = order;
}

std::vector<std::size_t> Model::matching(const copernica::PageQuery& query, Instant now) const {
    sort();
    const auto instant = [&](LocalTime bound) {
        return bounds == Bounds::first_pass ? zone.earliest(bound) : zone.latest(bound);
    };
    const Instant first = instant(query.begintime);
    const Instant last = instant(query.endtime);
    const auto between = [&](auto at, auto begin, auto end) {
        return (begin_inclusive ? at >= begin : at > begin) &&
               (end_inclusive ? at <= end : at < end);
    };
    std::vector<std::size_t> found;
    for (const std::size_t i : sorted_) {
        const LoggedRow& row = rows_[i];
        const bool inside = bounds == Bounds::text
                                ? between(row.time, query.begintime, query.endtime)
                                : between(row.at, first, last);
        if (row.at <= now && inside) {
            found.push_back(i);
        }
    }
    return found;
}

copernica::Page Model::answer(const copernica::PageQuery& query, Instant now) const {
    const std::vector<std::size_t> found = matching(query, now);
    copernica::Page page;
    page.start = query.start;
    page.limit = query.limit;
    if (query.total) {
        page.total = found.size();
    }
    const std::size_t most = std::min<std::size_t>(query.limit, cap);
    const std::size_t end = std::min<std::size_t>(found.size(), query.start + most);
    std::size_t position = 0;
    for (std::size_t i = query.start; i < end; ++i, ++position) {
        const LoggedRow& row = rows_[found[i]];
        if (row.id > 0) {
            mirror::Row shown;
            shown.id = row.id;
            shown.time = row.time;
            page.rows.push_back(shown);
        } else {
            Reject reject;
            reject.position = position;
            reject.time = row.time;
            reject.timestamp = format_local(row.time);
            reject.reason = "no usable ID";
            reject.record = fmt::format("{{\"timestamp\":\"{}\"}}", *reject.timestamp);
            page.rejects.push_back(reject);
        }
    }
    page.count = page.records();
    return page;
}

asio::awaitable<void> FakeApi::pass_time() {
    if (pages + identities > most_requests) {
        throw std::logic_error("this run does not end");
    }
    ++steps;
    co_await yield();
    clock_.advance(duration);
}

asio::awaitable<copernica::PageReply> FakeApi::impressions(copernica::PageQuery query,
                                                           copernica::RequestGate& gate) {
    co_await gate.pass();
    const std::uint64_t number = pages++;
    totals += query.total ? 1 : 0;
    co_await pass_time();
    if (on_page) {
        on_page(query);
    }
    copernica::PageReply reply;
    reply.date = date ? date(clock_.now()) : clock_.now();
    if ((number >= empty_from && number < empty_from + empty_count) ||
        (empty_when && empty_when(number))) {
        reply.page.start = query.start;
        reply.page.limit = query.limit;
        reply.page.count = 0;
        reply.page.total = 0;
    } else {
        reply.page = model_.answer(query, clock_.now());
    }
    if (distort) {
        distort(query, reply.page);
    }
    co_return reply;
}

asio::awaitable<copernica::Identity> FakeApi::identity(copernica::RequestGate& gate) {
    co_await gate.pass();
    ++identities;
    co_await pass_time();
    if (on_identity) {
        on_identity();
    }
    copernica::Identity identity;
    identity.id = "34";
    identity.name = "Development";
    identity.date = date ? date(clock_.now()) : clock_.now();
    co_return identity;
}

asio::awaitable<WindowSet> FakeStore::coverage(std::int64_t) {
    co_await yield_always();
    co_return covered;
}

asio::awaitable<sync::Written> FakeStore::commit(std::vector<sync::WholeWindow> windows, Instant) {
    co_await yield_always();
    sync::Written written;
    for (const sync::WholeWindow& whole : windows) {
        committed.push_back(whole.window);
        if (!whole.window.contains(whole.proven)) {
            broken.push_back("what is proven lies outside of the window");
        }
        const LocalPeriod span = zone_.span(whole.window);
        std::set<std::int64_t> seen;
        rejects.erase(rejects.lower_bound(span.begin), rejects.lower_bound(span.end));
        PackedRows::Reader reader = whole.records.rows.read();
        while (const mirror::Row* const row = reader.next()) {
            if (!seen.insert(row->id).second || row->id <= 0) {
                broken.push_back(fmt::format("ID {} twice in one window", row->id));
            }
            const bool is_new = rows.insert_or_assign(row->id, row->time).second;
            ++(is_new ? written.inserted : written.unchanged);
        }
        for (const Reject& reject : whole.records.rejects) {
            if (span.begin <= *reject.time && *reject.time < span.end) {
                rejects.emplace(*reject.time, reject.record);
                ++written.rejected;
            }
        }
        std::erase_if(rows, [&](const auto& row) {
            const bool gone = span.begin <= row.second && row.second < span.end &&
                              row.second < zone_.to_local(whole.proven.end) &&
                              !seen.contains(row.first);
            if (gone) {
                removed.insert(row.first);
            }
            return gone;
        });
        covered.add(whole.proven);
    }
    co_return written;
}

asio::awaitable<void> FakeStore::uncover(WindowSet windows) {
    co_await yield_always();
    covered.subtract(windows);
}

asio::awaitable<std::uint64_t> FakeStore::count(LocalTime begin, LocalTime end) {
    co_await yield_always();
    const auto in_rows = std::count_if(rows.begin(), rows.end(), [&](const auto& row) {
        return begin <= row.second && row.second <= end;
    });
    const auto in_rejects = std::distance(rejects.lower_bound(begin), rejects.upper_bound(end));
    co_return static_cast<std::uint64_t>(in_rows + in_rejects);
}

// What audits find is tested against the real file. Here they find no place to cut, so they read
// everything again.
asio::awaitable<std::vector<sync::RowDifference>> FakeStore::compare(
    const std::vector<sync::WholeWindow>&) {
    co_return std::vector<sync::RowDifference>{};
}

asio::awaitable<std::optional<LocalTime>> FakeStore::row_free_second(LocalTime, LocalTime,
                                                                     sync::RowFreeNear) {
    co_return std::nullopt;
}

asio::awaitable<WindowSet> FakeStore::doubts(Instant) {
    co_return WindowSet{};
}

asio::awaitable<std::uint64_t> FakeStore::count_removed(LocalTime, LocalTime) {
    co_return 0;
}

asio::awaitable<std::optional<LocalTime>> FakeStore::middle_row(LocalTime, LocalTime) {
    co_return std::nullopt;
}

asio::awaitable<std::optional<LocalTime>> FakeStore::nth_record(LocalTime begin, LocalTime end,
                                                                std::uint64_t n) {
    co_await yield_always();
    std::vector<LocalTime> times;
    for (const auto& [id, time] : rows) {
        times.push_back(time);
    }
    for (const auto& [time, record] : rejects) {
        times.push_back(time);
    }
    std::erase_if(times, [&](LocalTime time) { return time < begin || time >= end; });
    std::sort(times.begin(), times.end());
    co_return n < times.size() ? std::optional(times[n]) : std::nullopt;
}

asio::awaitable<WindowSet> FakeStore::covered_by_other_rules() {
    co_return WindowSet{};
}

asio::awaitable<std::uint64_t> FakeStore::settle_expired(LocalTime begin, Instant) {
    co_await yield_always();
    const auto expired = std::count_if(rows.begin(), rows.end(),
                                       [&](const auto& row) { return row.second < begin; });
    co_return static_cast<std::uint64_t>(expired);
}

asio::awaitable<std::uint64_t> FakeStore::prune_before(LocalTime begin) {
    co_return std::erase_if(rows, [&](const auto& row) { return row.second < begin; });
}

asio::awaitable<std::uint64_t> FakeStore::prune(LocalTime, LocalTime) {
    co_return 0;
}

asio::awaitable<void> FakeStore::recount() {
    co_return;
}

asio::awaitable<std::optional<sync::NewestRows>> FakeStore::newest_rows(LocalTime before) {
    co_await yield_always();
    std::optional<sync::NewestRows> newest;
    for (const auto& [id, time] : rows) {
        if (time >= before || (newest && time < newest->time)) {
            continue;
        }
        if (!newest || time > newest->time) {
            newest.emplace();
            newest->time = time;
        }
        ++newest->rows;
    }
    co_return newest;
}

asio::awaitable<void> FakeStore::record_run(sync::RunRecord run) {
    co_await yield_always();
    runs.push_back(std::move(run));
}

asio::awaitable<void> FakeStore::claim_account(std::string id, std::string) {
    co_await yield_always();
    facts["account"] = std::move(id);
}

asio::awaitable<std::optional<std::string>> FakeStore::fact(std::string key) {
    co_await yield_always();
    const auto found = facts.find(key);
    if (found == facts.end()) {
        co_return std::nullopt;
    }
    co_return found->second;
}

asio::awaitable<void> FakeStore::set_fact(std::string key, std::string value) {
    co_await yield_always();
    facts[key] = std::move(value);
}

asio::awaitable<void> FakeStore::set_facts(std::map<std::string, std::string> changed) {
    co_await yield_always();
    for (auto& [key, value] : changed) {
        facts[key] = std::move(value);
    }
}

sync::Outcome World::sync() {
    sync::Session session(loop.get_executor(), api, store, clock, log, settings);
    return run(loop, session.sync());
}

sync::Outcome World::backfill(LocalTime from, std::optional<LocalTime> to, bool force) {
    sync::Session session(loop.get_executor(), api, store, clock, log, settings);
    sync::BackfillRequest request;
    request.from = from;
    request.to = to;
    request.force = force;
    return run(loop, session.backfill(request));
}

void World::follow_until(Instant end) {
    sync::Session session(loop.get_executor(), api, store, clock, log, settings);
    asio::cancellation_signal stop;
    // Not from within a sleeper: cancelling runs handlers.
    clock.on_time = [&] {
        if (clock.now() >= end) {
            asio::post(loop, [&stop] { stop.emit(asio::cancellation_type::terminal); });
        }
    };
    std::exception_ptr failed;
    asio::co_spawn(loop, session.run(),
                   asio::bind_cancellation_slot(
                       stop.slot(), [&](const std::exception_ptr& error) { failed = error; }));
    loop.restart();
    loop.run();
    clock.on_time = nullptr;
    try {
        std::rethrow_exception(failed);
    } catch (const boost::system::system_error& error) {
        if (error.code() != asio::error::operation_aborted) {
            throw;
        }
    }
}

std::string World::difference() const {
    if (!store.broken.empty()) {
        return store.broken.front();
    }
    std::size_t nameless = 0;
    std::size_t missing = 0;
    Instant example{};
    std::set<std::int64_t> known;
    for (const LoggedRow& row : model.rows()) {
        known.insert(row.id);
        // The account's zone may be another than ours: what the file claims is in our reading.
        const Instant read_as =
            settings.zone.name() == model.zone.name() ? row.at : settings.zone.latest(row.time);
        const bool covered = store.covered.contains({read_as, read_as + Seconds(1)}) &&
                             store.covered.contains({row.at, row.at + Seconds(1)});
        if (!covered) {
            continue;
        }
        if (row.id <= 0) {
            ++nameless;
        } else if (!store.rows.contains(row.id)) {
            ++missing;
            example = row.at;
        }
    }
    if (missing > 0) {
        return fmt::format("{} rows are missing, one of {}", missing, format_utc(example));
    }
    if (nameless > store.rejects.size()) {
        return fmt::format("{} rejects are missing", nameless - store.rejects.size());
    }
    for (const auto& [id, time] : store.rows) {
        if (!known.contains(id)) {
            return fmt::format("{} is there and not at the API", id);
        }
    }
    return {};
}

void run(asio::io_context& loop, asio::awaitable<void> work) {
    std::exception_ptr failed;
    asio::co_spawn(loop, std::move(work), [&](const std::exception_ptr& error) { failed = error; });
    loop.restart();
    loop.run();
    if (failed) {
        std::rethrow_exception(failed);
    }
}

}  // namespace mirror::tests
