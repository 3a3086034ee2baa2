// The real file behind sync::Store, carried out on the loop's own thread, so that everything
// happens in the same order each time. The store with its thread is tested by the end-to-end and
// storage tests.
#pragma once

#include <functional>
#include <map>

#include "core/sync/store.hpp"
#include "storage/mirror_file.hpp"
#include "tests/soak/virtual_clock.hpp"

namespace mirror::soak {

/// As SqliteStore: calls are carried out in order, and finished even when cancelled.
class FileStore final : public sync::Store {
  public:
    /// `duration` says how long the next call takes. Throws what MirrorFile throws.
    FileStore(storage::MirrorOptions options, VirtualClock& clock,
              std::function<std::chrono::milliseconds()> duration);

    boost::asio::awaitable<WindowSet> coverage(std::int64_t age) override;
    boost::asio::awaitable<sync::Written> commit(std::vector<sync::WholeWindow> windows,
                                                 Instant server_now) override;
    boost::asio::awaitable<void> uncover(WindowSet windows) override;
    boost::asio::awaitable<std::vector<sync::RowDifference>> compare(
        const std::vector<sync::WholeWindow>& windows) override;
    boost::asio::awaitable<std::optional<LocalTime>> row_free_second(
        LocalTime begin, LocalTime end, sync::RowFreeNear near) override;
    boost::asio::awaitable<std::uint64_t> prune(LocalTime begin, LocalTime end) override;
    boost::asio::awaitable<std::uint64_t> count(LocalTime begin, LocalTime end) override;
    boost::asio::awaitable<void> recount() override;
    boost::asio::awaitable<std::optional<sync::NewestRows>> newest_rows(LocalTime before) override;
    boost::asio::awaitable<void> record_run(sync::RunRecord run) override;
    boost::asio::awaitable<void> claim_account(std::string id, std::string name) override;
    boost::asio::awaitable<std::optional<std::string>> fact(std::string key) override;
    boost::asio::awaitable<void> set_fact(std::string key, std::string value) override;
    boost::asio::awaitable<void> set_facts(std::map<std::string, std::string> facts) override;

  private:
    template <typename Work>
    auto carry_out(Work work) -> boost::asio::awaitable<std::invoke_result_t<Work&>>;

    VirtualClock& clock_;
    std::function<std::chrono::milliseconds()> duration_;
    storage::MirrorFile file_;
};

}  // namespace mirror::soak
