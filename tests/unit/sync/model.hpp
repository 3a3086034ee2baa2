// The world around core/sync, in memory: a clock that tests own, the API as a table of rows, and a
// store of maps. No sockets, no waiting.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "core/copernica/api.hpp"
#include "core/copernica/page.hpp"
#include "core/sync/observer.hpp"
#include "core/sync/session.hpp"
#include "core/sync/store.hpp"
#include "core/time/clock.hpp"
#include "core/time/zone.hpp"

namespace mirror::tests {

/// "YYYY-MM-DD HH:MM:SS" as UTC, and as local time.
Instant utc(const std::string& text);
LocalTime local(const std::string& text);

/// Time passes only when somebody sleeps and nobody works, or the test says so. Of several sleepers
/// the one who wakes first moves it.
class FakeClock final : public Clock {
  public:
    explicit FakeClock(Instant now) : start_(now) {}

    Instant utc() const override;
    Monotonic monotonic() const override { return Monotonic(passed_); }
    boost::asio::awaitable<void> sleep(std::chrono::milliseconds duration) override;

    /// What time it really is.
    Instant now() const { return start_ + std::chrono::floor<Seconds>(passed_); }
    void advance(std::chrono::milliseconds by) { passed_ += by; }
    void advance_to(Instant at);
    /// While held, sleepers go on sleeping.
    void hold(bool held) { held_ = held; }
    /// How wrong utc() is.
    void set_error(Seconds error) { error_ = error; }
    /// The machine is asleep for so long: its monotonic clock stands meanwhile.
    void suspend(Seconds duration) { start_ += duration; }

    /// Whether somebody works outside of the loop; may be empty.
    std::function<bool()> busy;
    /// Called when a sleeper has moved the time.
    std::function<void()> on_time;

  private:
    Instant start_;
    std::chrono::milliseconds passed_{0};
    std::multiset<std::chrono::milliseconds> wakes_;  // of those who sleep
    Seconds error_{0};
    bool held_ = false;
};

struct LoggedRow {
    std::int64_t id = 0;  ///< 0: the record has no usable ID
    Instant at{};
    LocalTime time{};
};

enum class Order { time, time_descending, id, hash };
inline constexpr Order all_orders[] = {Order::time, Order::time_descending, Order::id, Order::hash};

/// How the server takes a bound: as text, or as one of the two instants that show it.
enum class Bounds { text, first_pass, second_pass };

/// What the API knows, and how it answers.
class Model {
  public:
    explicit Model(Zone account_zone) : zone(std::move(account_zone)) {}

    Zone zone;
    Order order = Order::time;
    bool begin_inclusive = false;
    bool end_inclusive = false;
    Bounds bounds = Bounds::text;
    std::size_t cap = 1000;  ///< records in a reply at the most, whatever it says

    /// Adds a row with the next ID, or one without. Returns its place.
    void add(Instant at, bool nameless = false);
    /// Adds one with a given ID.
    void add_as(std::int64_t id, Instant at);
    void erase(std::size_t place);

    copernica::Page answer(const copernica::PageQuery& query, Instant now) const;
    std::vector<std::size_t> matching(const copernica::PageQuery& query, Instant now) const;
    const std::vector<LoggedRow>& rows() const { return rows_; }

  private:
    void sort() const;

    std::vector<LoggedRow> rows_;
    std::int64_t next_id_ = 1;
    mutable std::vector<std::size_t> sorted_;
    mutable std::optional<Order> sorted_by_;
};

/// The model behind the interface, with faults.
class FakeApi final : public copernica::Api {
  public:
    FakeApi(Model& model, FakeClock& clock) : model_(model), clock_(clock) {}

    boost::asio::awaitable<copernica::PageReply> impressions(copernica::PageQuery query,
                                                             copernica::RequestGate& gate) override;
    boost::asio::awaitable<copernica::Identity> identity(copernica::RequestGate& gate) override;

    /// Called with the number of the request (from 0, both kinds) before each; may throw ApiError.
    std::function<void(const copernica::PageQuery&)> on_page;
    std::function<void()> on_identity;
    /// Changes a right reply.
    std::function<void(const copernica::PageQuery&, copernica::Page&)> distort;
    /// The reply's Date; the clock's if it is not set.
    std::function<std::optional<Instant>(Instant)> date;
    std::chrono::milliseconds duration{150};  ///< of one request
    /// The pages of these numbers are empty.
    std::uint64_t empty_from = 0;
    std::uint64_t empty_count = 0;
    /// So are those for which this is true.
    std::function<bool(std::uint64_t)> empty_when;
    /// More is a run that does not end.
    std::uint64_t most_requests = 20'000;

    std::uint64_t pages = 0;
    std::uint64_t identities = 0;
    std::uint64_t totals = 0;

  private:
    boost::asio::awaitable<void> pass_time();

    Model& model_;
    FakeClock& clock_;
};

class FakeStore : public sync::Store {
  public:
    explicit FakeStore(Zone account_zone) : zone_(std::move(account_zone)) {}

    boost::asio::awaitable<WindowSet> coverage(std::int64_t age) override;
    boost::asio::awaitable<sync::Written> commit(std::vector<sync::WholeWindow> windows,
                                                 Instant server_now) override;
    boost::asio::awaitable<void> uncover(WindowSet windows) override;
    boost::asio::awaitable<std::uint64_t> count(LocalTime begin, LocalTime end) override;
    boost::asio::awaitable<std::vector<sync::RowDifference>> compare(
        const std::vector<sync::WholeWindow>& windows) override;
    boost::asio::awaitable<std::optional<LocalTime>> row_free_second(
        LocalTime begin, LocalTime end, sync::RowFreeNear near) override;
    boost::asio::awaitable<WindowSet> doubts(Instant latest) override;
    boost::asio::awaitable<std::uint64_t> count_removed(LocalTime begin, LocalTime end) override;
    boost::asio::awaitable<std::optional<LocalTime>> middle_row(LocalTime begin,
                                                                LocalTime end) override;
    boost::asio::awaitable<std::optional<LocalTime>> nth_record(LocalTime begin, LocalTime end,
                                                                std::uint64_t n) override;
    boost::asio::awaitable<WindowSet> covered_by_other_rules() override;
    boost::asio::awaitable<std::uint64_t> settle_expired(LocalTime begin,
                                                         Instant removed_since) override;
    boost::asio::awaitable<std::uint64_t> prune_before(LocalTime begin) override;
    boost::asio::awaitable<std::uint64_t> prune(LocalTime begin, LocalTime end) override;
    boost::asio::awaitable<void> recount() override;
    boost::asio::awaitable<std::optional<sync::NewestRows>> newest_rows(LocalTime before) override;
    boost::asio::awaitable<void> record_run(sync::RunRecord run) override;
    boost::asio::awaitable<void> claim_account(std::string id, std::string name) override;
    boost::asio::awaitable<std::optional<std::string>> fact(std::string key) override;
    boost::asio::awaitable<void> set_fact(std::string key, std::string value) override;
    boost::asio::awaitable<void> set_facts(std::map<std::string, std::string> changed) override;

    std::map<std::int64_t, LocalTime> rows;
    std::multimap<LocalTime, std::string> rejects;
    WindowSet covered;
    std::vector<Window> committed;  ///< the windows, as they came
    std::map<std::string, std::string> facts;
    std::vector<sync::RunRecord> runs;
    std::vector<std::string> broken;  ///< promises of core/sync that were not kept
    std::set<std::int64_t> removed;   ///< IDs that a whole read did not return any more

  private:
    Zone zone_;
};

struct Log final : sync::Observer {
    void progress(const sync::Progress&) override {}
    void debug(const std::string&) override {}
    void info(const std::string& line) override { infos.push_back(line); }
    void warning(const std::string& line) override { warnings.push_back(line); }
    std::vector<std::string> infos;
    std::vector<std::string> warnings;
};

/// Everything for sessions, one after another, against one account and one file.
struct World {
    explicit World(Instant now, const std::string& zone = "Europe/Amsterdam")
        : settings(Zone(zone)),
          clock(now),
          model(settings.zone),
          api(model, clock),
          store(settings.zone) {}

    boost::asio::io_context loop;
    sync::Settings settings;
    FakeClock clock;
    Model model;
    FakeApi api;
    FakeStore store;
    Log log;

    sync::Outcome sync();
    sync::Outcome backfill(LocalTime from, std::optional<LocalTime> to, bool force = false);
    /// `run`, stopped at about that time. Throws what ended it before.
    void follow_until(Instant end);

    /// What is wrong with the covered periods of the store: rows that are not there, or not
    /// any more at the API. Empty if all is well.
    std::string difference() const;
};

/// Runs one coroutine until the loop has nothing left to do.
template <typename T>
T run(boost::asio::io_context& loop, boost::asio::awaitable<T> work) {
    std::exception_ptr failed;
    std::optional<T> result;
    boost::asio::co_spawn(loop, std::move(work), [&](const std::exception_ptr& error, T value) {
        failed = error;
        if (!error) {
            result.emplace(std::move(value));
        }
    });
    loop.restart();
    loop.run();
    if (failed) {
        std::rethrow_exception(failed);
    }
    return std::move(result.value());
}

void run(boost::asio::io_context& loop, boost::asio::awaitable<void> work);

}  // namespace mirror::tests
