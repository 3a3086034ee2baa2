// Where whole windows go.
#pragma once

#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "core/sync/store.hpp"

namespace mirror::sync {

class WindowSink {
  public:
    virtual ~WindowSink() = default;

    /// Takes windows that were read whole; returns what that changed in the file. `server_now` is
    /// the server's clock, UTC. Throws what Store::commit() throws.
    virtual boost::asio::awaitable<Written> take(std::vector<WholeWindow> windows,
                                                 Instant server_now) = 0;
};

/// Stores them.
class StoringSink final : public WindowSink {
  public:
    explicit StoringSink(Store& store) : store_(store) {}

    boost::asio::awaitable<Written> take(std::vector<WholeWindow> windows,
                                         Instant server_now) override {
        return store_.commit(std::move(windows), server_now);
    }

  private:
    Store& store_;
};

/// Finds out how they differ from the file, and stores them only if that is wanted: an audit reads
/// as everything else does.
class ComparingSink final : public WindowSink {
  public:
    ComparingSink(Store& store, bool stores) : store_(store), stores_(stores) {}

    boost::asio::awaitable<Written> take(std::vector<WholeWindow> windows,
                                         Instant server_now) override {
        for (const WholeWindow& whole : windows) {
            read_.add(whole.proven);
        }
        const std::vector<RowDifference> found = co_await store_.compare(windows);
        differences_.insert(differences_.end(), found.begin(), found.end());
        if (!stores_) {
            co_return Written{};
        }
        co_return co_await store_.commit(std::move(windows), server_now);
    }

    /// Everything found so far.
    const std::vector<RowDifference>& differences() const { return differences_; }
    /// What was read whole so far.
    const WindowSet& read() const { return read_; }

  private:
    Store& store_;
    bool stores_;
    std::vector<RowDifference> differences_;
    WindowSet read_;
};

}  // namespace mirror::sync
