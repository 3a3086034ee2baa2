#include "storage/sqlite_store.hpp"

#include <utility>

#include "storage/rewriter.hpp"

namespace mirror::storage {

namespace asio = boost::asio;

asio::awaitable<WindowSet> SqliteStore::coverage(std::int64_t age) {
    auto work = [this, age] { return reader().coverage(age); };
    return calls_.carried_out(std::move(work));
}

asio::awaitable<sync::Written> SqliteStore::commit(std::vector<sync::WholeWindow> windows,
                                                   Instant server_now) {
    const Moment now{clock_.utc(), clock_.monotonic()};
    auto work = [this, windows = std::move(windows), server_now, now]() mutable {
        return writer().commit(windows, server_now, now);
    };
    return calls_.carried_out(std::move(work));
}

asio::awaitable<void> SqliteStore::uncover(WindowSet windows) {
    auto work = [this, windows = std::move(windows)] { writer().uncover(windows); };
    return calls_.carried_out(std::move(work));
}

asio::awaitable<std::vector<sync::RowDifference>> SqliteStore::compare(
    const std::vector<sync::WholeWindow>& windows) {
    auto work = [this, &windows] { return reader().compare(windows); };
    return calls_.carried_out(std::move(work));
}

asio::awaitable<std::optional<LocalTime>> SqliteStore::row_free_second(LocalTime begin,
                                                                       LocalTime end,
                                                                       sync::RowFreeNear near) {
    auto work = [this, begin, end, near] { return reader().row_free_second(begin, end, near); };
    return calls_.carried_out(std::move(work));
}

asio::awaitable<WindowSet> SqliteStore::doubts(Instant latest) {
    auto work = [this, latest] { return reader().doubts(latest); };
    return calls_.carried_out(std::move(work));
}

asio::awaitable<std::uint64_t> SqliteStore::count_removed(LocalTime begin, LocalTime end) {
    auto work = [this, begin, end] { return reader().count_removed(begin, end); };
    return calls_.carried_out(std::move(work));
}

asio::awaitable<std::optional<LocalTime>> SqliteStore::middle_row(LocalTime begin, LocalTime end) {
    auto work = [this, begin, end] { return reader().middle_row(begin, end); };
    return calls_.carried_out(std::move(work));
}

asio::awaitable<std::optional<LocalTime>> SqliteStore::nth_record(LocalTime begin, LocalTime end,
                                                                  std::uint64_t n) {
    auto work = [this, begin, end, n] { return reader().nth_record(begin, end, n); };
    return calls_.carried_out(std::move(work));
}

asio::awaitable<WindowSet> SqliteStore::covered_by_other_rules() {
    auto work = [this] { return reader().covered_by_other_rules(); };
    return calls_.carried_out(std::move(work));
}

asio::awaitable<std::uint64_t> SqliteStore::settle_expired(LocalTime begin, Instant removed_since) {
    auto work = [this, begin, removed_since, now = clock_.utc()] {
        return writer().settle_expired(begin, removed_since, now);
    };
    return calls_.carried_out(std::move(work));
}

asio::awaitable<std::uint64_t> SqliteStore::prune_before(LocalTime begin) {
    auto work = [this, begin] { return writer().prune_before(begin); };
    return calls_.carried_out(std::move(work));
}

asio::awaitable<sync::ErasedPortion> SqliteStore::erase_older(LocalTime before) {
    auto work = [options = file_.options(), &stream = stream_, before, now = clock_.utc()] {
        return erase_older_portion(options, stream, before, now);
    };
    return slow_calls_.carried_out(std::move(work));
}

asio::awaitable<sync::Rewriting> SqliteStore::rewrite_portion() {
    auto is_due = [this] { return reader().is_rewriting(); };
    if (!co_await calls_.carried_out(std::move(is_due))) {
        co_return sync::Rewriting::none;
    }
    auto work = [options = file_.options(), now = clock_.utc()] {
        return storage::rewrite_portion(options, now);
    };
    co_return co_await slow_calls_.carried_out(std::move(work));
}

asio::awaitable<std::uint64_t> SqliteStore::prune(LocalTime begin, LocalTime end) {
    auto work = [this, begin, end] { return writer().prune(begin, end); };
    return calls_.carried_out(std::move(work));
}

asio::awaitable<std::uint64_t> SqliteStore::count(LocalTime begin, LocalTime end) {
    auto work = [this, begin, end] { return reader().count(begin, end); };
    return calls_.carried_out(std::move(work));
}

asio::awaitable<sync::UnplacedRejects> SqliteStore::unplaced_rejects(LocalTime begin,
                                                                     LocalTime end) {
    auto work = [this, begin, end] { return reader().unplaced_rejects(begin, end); };
    return calls_.carried_out(std::move(work));
}

asio::awaitable<plan::MailingCounts> SqliteStore::mailing_counts(
    LocalTime begin, LocalTime end, std::optional<std::int64_t> mailing) {
    auto work = [this, begin, end, mailing] {
        return reader().mailing_counts(begin, end, mailing);
    };
    return calls_.carried_out(std::move(work));
}

asio::awaitable<void> SqliteStore::recount() {
    auto work = [this] { writer().recount(); };
    return calls_.carried_out(std::move(work));
}

asio::awaitable<std::optional<sync::NewestRows>> SqliteStore::newest_rows(LocalTime before) {
    auto work = [this, before] { return reader().newest_rows(before); };
    return calls_.carried_out(std::move(work));
}

asio::awaitable<std::vector<plan::SampledRow>> SqliteStore::newest_sample(LocalTime before,
                                                                          std::size_t most) {
    auto work = [this, before, most] { return reader().newest_sample(before, most); };
    return calls_.carried_out(std::move(work));
}

asio::awaitable<void> SqliteStore::record_run(sync::RunRecord run) {
    auto work = [this, run = std::move(run), now = clock_.utc()] { writer().record_run(run, now); };
    return calls_.carried_out(std::move(work));
}

asio::awaitable<void> SqliteStore::claim_account(std::string id, std::string name) {
    auto work = [this, id = std::move(id), name = std::move(name), now = clock_.utc()] {
        writer().claim_account(id, name, now);
    };
    return calls_.carried_out(std::move(work));
}

asio::awaitable<sync::RequestsToday> SqliteStore::spend_requests(Instant now, std::int64_t wanted,
                                                                 std::uint64_t limit) {
    auto work = [this, now, wanted, limit] { return writer().spend_requests(now, wanted, limit); };
    return calls_.carried_out(std::move(work));
}

asio::awaitable<std::optional<std::string>> SqliteStore::fact(std::string key) {
    auto work = [this, key = std::move(key)] { return reader().fact(key); };
    return calls_.carried_out(std::move(work));
}

asio::awaitable<void> SqliteStore::set_fact(std::string key, std::string value) {
    auto work = [this, key = std::move(key), value = std::move(value)] {
        writer().set_fact(key, value);
    };
    return calls_.carried_out(std::move(work));
}

asio::awaitable<void> SqliteStore::set_facts(std::map<std::string, std::string> facts) {
    auto work = [this, facts = std::move(facts)] { writer().set_facts(facts); };
    return calls_.carried_out(std::move(work));
}

}  // namespace mirror::storage
