// A store of maps, in memory.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "core/sync/store.hpp"
#include "core/time/window.hpp"
#include "core/time/zone.hpp"

namespace mirror::tests {

class FakeStore : public sync::Store {
  public:
    explicit FakeStore(Zone account_zone, const Stream& stream = streams().front())
        : zone_(std::move(account_zone)), stream_(stream) {}

    const Stream& stream() const override { return stream_; }
    boost::asio::awaitable<WindowSet> coverage(std::int64_t age) override;
    boost::asio::awaitable<sync::Written> commit(std::vector<sync::WholeWindow> windows,
                                                 Instant server_now) override;
    boost::asio::awaitable<void> uncover(WindowSet windows) override;
    boost::asio::awaitable<std::uint64_t> count(LocalTime begin, LocalTime end) override;
    boost::asio::awaitable<sync::UnplacedRejects> unplaced_rejects(LocalTime begin,
                                                                   LocalTime end) override;
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
    boost::asio::awaitable<plan::MailingCounts> mailing_counts(
        LocalTime begin, LocalTime end, std::optional<std::int64_t> mailing) override;
    boost::asio::awaitable<void> recount() override;
    boost::asio::awaitable<std::optional<sync::NewestRows>> newest_rows(LocalTime before) override;
    boost::asio::awaitable<std::vector<plan::SampledRow>> newest_sample(LocalTime before,
                                                                        std::size_t most) override;
    boost::asio::awaitable<void> record_run(sync::RunRecord run) override;
    boost::asio::awaitable<void> claim_account(std::string id, std::string name) override;
    boost::asio::awaitable<sync::RequestsToday> spend_requests(Instant now, std::int64_t wanted,
                                                               std::uint64_t limit) override;
    boost::asio::awaitable<std::optional<std::string>> fact(std::string key) override;
    boost::asio::awaitable<void> set_fact(std::string key, std::string value) override;
    boost::asio::awaitable<void> set_facts(std::map<std::string, std::string> changed) override;

    std::map<std::int64_t, LocalTime> rows;
    std::multimap<LocalTime, std::string> rejects;
    plan::MailingCounts mailings;  ///< whatever the period is
    WindowSet covered;
    std::vector<Window> committed;  ///< the windows, as they came
    std::map<std::string, std::string> facts;
    std::map<std::int64_t, std::int64_t> requests;  ///< by UTC day, counted from 1970
    std::vector<sync::RunRecord> runs;
    bool full = false;                ///< requests cannot be written down
    bool cuts = false;                ///< row_free_second() finds seconds without rows
    std::vector<std::string> broken;  ///< promises of core/sync that were not kept
    std::function<void(std::int64_t age)> on_coverage;  ///< called whenever it is asked for
    std::set<std::int64_t> removed;  ///< IDs that a whole read did not return any more

  private:
    Zone zone_;
    const Stream& stream_;
};

}  // namespace mirror::tests
