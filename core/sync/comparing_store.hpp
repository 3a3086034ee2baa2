// A Store in front of the real one that finds out what whole windows would change.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/sync/store.hpp"

namespace mirror::sync {

/// Compares what is committed with the file, and stores it only where that is wanted: reading
/// for an audit is the same reading as any other.
class ComparingStore final : public Store {
  public:
    ComparingStore(Store& inner, bool store) : inner_(inner), store_(store) {}

    /// Everything found so far.
    const std::vector<RowDifference>& differences() const { return differences_; }
    /// What was read whole so far.
    const WindowSet& read() const { return read_; }

    boost::asio::awaitable<Written> commit(std::vector<WholeWindow> windows,
                                           Instant server_now) override {
        for (const WholeWindow& whole : windows) {
            read_.add(whole.proven);
        }
        std::vector<RowDifference> found = co_await inner_.compare(windows);
        differences_.insert(differences_.end(), found.begin(), found.end());
        if (!store_) {
            co_return Written{};
        }
        co_return co_await inner_.commit(std::move(windows), server_now);
    }

    boost::asio::awaitable<std::vector<RowDifference>> compare(
        const std::vector<WholeWindow>& windows) override {
        return inner_.compare(windows);
    }
    boost::asio::awaitable<WindowSet> coverage(std::int64_t age) override {
        return inner_.coverage(age);
    }
    boost::asio::awaitable<void> uncover(WindowSet windows) override {
        return inner_.uncover(std::move(windows));
    }
    boost::asio::awaitable<std::uint64_t> count(LocalTime begin, LocalTime end) override {
        return inner_.count(begin, end);
    }
    boost::asio::awaitable<std::optional<LocalTime>> row_free_second(LocalTime begin, LocalTime end,
                                                                     RowFreeNear near) override {
        return inner_.row_free_second(begin, end, near);
    }
    boost::asio::awaitable<std::uint64_t> prune(LocalTime begin, LocalTime end) override {
        return inner_.prune(begin, end);
    }
    boost::asio::awaitable<void> recount() override { return inner_.recount(); }
    boost::asio::awaitable<std::optional<NewestRows>> newest_rows(LocalTime before) override {
        return inner_.newest_rows(before);
    }
    boost::asio::awaitable<void> record_run(RunRecord run) override {
        return inner_.record_run(std::move(run));
    }
    boost::asio::awaitable<void> claim_account(std::string id, std::string name) override {
        return inner_.claim_account(std::move(id), std::move(name));
    }
    boost::asio::awaitable<std::optional<std::string>> fact(std::string key) override {
        return inner_.fact(std::move(key));
    }
    boost::asio::awaitable<void> set_fact(std::string key, std::string value) override {
        return inner_.set_fact(std::move(key), std::move(value));
    }
    boost::asio::awaitable<void> set_facts(std::map<std::string, std::string> facts) override {
        return inner_.set_facts(std::move(facts));
    }

  private:
    Store& inner_;
    bool store_;
    std::vector<RowDifference> differences_;
    WindowSet read_;
};

}  // namespace mirror::sync
