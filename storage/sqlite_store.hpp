// sync::Store on SQLite: the file behind awaitable calls, which are carried out elsewhere.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "core/sync/store.hpp"
#include "core/time/clock.hpp"
#include "storage/call_executor.hpp"
#include "storage/mirror_file.hpp"
#include "storage/sqlite/activity.hpp"

namespace mirror::storage {

/// The event loop never waits for the disk: each call is carried out by the store's executor, in
/// the order of calls, and its coroutine resumes on its own. A call that was started is
/// finished and answered even when its coroutine is cancelled meanwhile. Every call throws
/// DatabaseError; after one of a write nothing of that write is in the file.
///
/// The clock is read on the calling thread. Destroy the store before the io_context of its
/// callers; the destructor waits for calls at hand, then closes the file.
class SqliteStore final : public sync::Store {
  public:
    /// Opens or creates the file, on the calling thread; if that takes long (a migration, an
    /// index), `opening` is called now and then meanwhile. Throws DatabaseError, OtherZone, and
    /// std::invalid_argument for an index that does not exist.
    SqliteStore(MirrorOptions options, Clock& clock, std::function<void()> opening = {});

    /// As above, with another executor than a thread of its own.
    SqliteStore(MirrorOptions options, Clock& clock, std::unique_ptr<CallExecutor> executor,
                std::function<void()> opening = {});

    boost::asio::awaitable<WindowSet> coverage(std::int64_t age) override;
    boost::asio::awaitable<sync::Written> commit(std::vector<sync::WholeWindow> windows,
                                                 Instant server_now) override;
    boost::asio::awaitable<void> uncover(WindowSet windows) override;
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
    boost::asio::awaitable<std::uint64_t> count(LocalTime begin, LocalTime end) override;
    boost::asio::awaitable<void> recount() override;
    boost::asio::awaitable<std::optional<sync::NewestRows>> newest_rows(LocalTime before) override;
    boost::asio::awaitable<void> record_run(sync::RunRecord run) override;
    /// Throws OtherAccount, too.
    boost::asio::awaitable<void> claim_account(std::string id, std::string name) override;
    boost::asio::awaitable<sync::RequestsToday> spend_requests(Instant now, std::int64_t wanted,
                                                               std::uint64_t limit) override;
    boost::asio::awaitable<std::optional<std::string>> fact(std::string key) override;
    boost::asio::awaitable<void> set_fact(std::string key, std::string value) override;

    boost::asio::awaitable<void> set_facts(std::map<std::string, std::string> facts) override;

    const std::filesystem::path& path() const { return file_.path(); }

    /// From any thread.
    Activity activity() const;

  private:
    template <typename Work>
    auto carried_out(Work work) -> boost::asio::awaitable<std::invoke_result_t<Work&>>;

    MirrorOptions watched(MirrorOptions options);

    Clock& clock_;
    std::atomic<std::uint64_t> asked_{0};
    std::atomic<std::uint64_t> done_{0};
    std::atomic<std::uint64_t> steps_{0};
    std::function<void()> opening_;  // empty once the file is open
    MirrorFile file_;
    std::unique_ptr<CallExecutor> executor_;  // goes first: it waits for the calls at hand
};

}  // namespace mirror::storage
