// sync::Store on SQLite: one stream of the file behind awaitable calls.
#pragma once

#include <cstdint>

#include "core/record/stream.hpp"
#include "core/sync/store.hpp"
#include "core/time/clock.hpp"
#include "storage/awaitable_calls.hpp"
#include "storage/mirror_file.hpp"

namespace mirror::storage {

/// See SqliteMirror, which makes it. Every call throws DatabaseError; after one of a write nothing
/// of that write is in the file. The clock is read on the calling thread.
class SqliteStore final : public sync::Store {
  public:
    /// All must outlive it.
    SqliteStore(MirrorFile& file, AwaitableCalls& calls, AwaitableCalls& slow_calls, Clock& clock,
                const Stream& stream)
        : file_(file), calls_(calls), slow_calls_(slow_calls), clock_(clock), stream_(stream) {}

    const Stream& stream() const override { return stream_; }

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
    boost::asio::awaitable<sync::ErasedPortion> erase_older(LocalTime before) override;
    boost::asio::awaitable<sync::Rewriting> rewrite_portion() override;
    boost::asio::awaitable<std::uint64_t> prune(LocalTime begin, LocalTime end) override;
    boost::asio::awaitable<std::uint64_t> count(LocalTime begin, LocalTime end) override;
    boost::asio::awaitable<sync::UnplacedRejects> unplaced_rejects(LocalTime begin,
                                                                   LocalTime end) override;
    boost::asio::awaitable<plan::MailingCounts> mailing_counts(
        LocalTime begin, LocalTime end, std::optional<std::int64_t> mailing) override;
    boost::asio::awaitable<void> recount() override;
    boost::asio::awaitable<std::optional<sync::NewestRows>> newest_rows(LocalTime before) override;
    boost::asio::awaitable<std::vector<plan::SampledRow>> newest_sample(LocalTime before,
                                                                        std::size_t most) override;
    boost::asio::awaitable<void> record_run(sync::RunRecord run) override;
    /// Throws OtherAccount, too.
    boost::asio::awaitable<void> claim_account(std::string id, std::string name) override;
    boost::asio::awaitable<sync::RequestsToday> spend_requests(Instant now, std::int64_t wanted,
                                                               std::uint64_t limit) override;
    boost::asio::awaitable<std::optional<std::string>> fact(std::string key) override;
    boost::asio::awaitable<void> set_fact(std::string key, std::string value) override;
    boost::asio::awaitable<void> set_facts(std::map<std::string, std::string> facts) override;

  private:
    // Used only in the executor's calls.
    MirrorReader& reader() { return file_.reader(stream_); }
    MirrorWriter& writer() { return file_.writer(stream_); }

    MirrorFile& file_;
    AwaitableCalls& calls_;
    AwaitableCalls& slow_calls_;  // these use no connection of the file
    Clock& clock_;
    const Stream& stream_;
};

}  // namespace mirror::storage
