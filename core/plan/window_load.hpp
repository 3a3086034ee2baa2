// How many windows are being read and how much they are expected to hold. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <set>

#include "core/time/instant.hpp"

namespace mirror::plan {

/// Room for records in memory, for all loads that share it.
struct RecordBudget {
    std::uint64_t most = 0;  ///< in windows that are being read or wait to be stored
    std::uint64_t held = 0;
};

/// The load of a fetch pipeline. Each window that is being read counts as large as its first reply
/// says, and before that as large as wanted; what waits to be stored, or is being stored, counts as
/// it is. So memory does not grow if the disk is slower than the network.
class WindowLoad {
  public:
    /// One window that is being read.
    struct Entry {
        std::uint64_t expected = 0;  ///< records
        bool counted = false;        ///< a reply has said how many there are
        std::optional<std::multiset<Instant>::iterator> awaited;
    };

    /// The budget must outlive it.
    explicit WindowLoad(RecordBudget& budget) : budget_(budget) {}
    WindowLoad(const WindowLoad&) = delete;
    WindowLoad& operator=(const WindowLoad&) = delete;
    ~WindowLoad() { budget_.held -= expected_ + queued_; }

    /// A window that begins then is going to be read; newer ones wait for it to be written.
    [[nodiscard]] Entry begin(Instant window_begin, std::uint64_t expected) {
        Entry entry;
        entry.expected = expected;
        entry.awaited = awaited_.insert(window_begin);  // may throw, so it comes first
        ++active_;
        ++uncounted_;
        expected_ += expected;
        budget_.held += expected;
        return entry;
    }

    /// Its first reply has said how many records it has.
    void counted(Entry& entry, std::uint64_t records) {
        uncounted_ -= entry.counted ? 0 : 1;
        entry.counted = true;
        expected_ += records;
        expected_ -= entry.expected;
        budget_.held += records;
        budget_.held -= entry.expected;
        entry.expected = records;
    }

    /// It may take long: newer ones are written without it. False if that was so already.
    bool stop_waiting_for(Entry& entry) {
        if (!entry.awaited) {
            return false;
        }
        awaited_.erase(*entry.awaited);
        entry.awaited.reset();
        return true;
    }

    void end(Entry& entry) {
        stop_waiting_for(entry);
        --active_;
        uncounted_ -= entry.counted ? 0 : 1;
        expected_ -= entry.expected;
        budget_.held -= entry.expected;
    }

    /// Records wait to be stored; they have been stored.
    void queued(std::uint64_t records) {
        queued_ += records;
        budget_.held += records;
    }
    void stored(std::uint64_t records) {
        queued_ -= records;
        budget_.held -= records;
    }

    /// Whether one more window of about so many records may be begun. One of each load always may.
    bool has_room_for(std::uint64_t records) const {
        return active_ + queued_ == 0 || budget_.held + records <= budget_.most;
    }

    unsigned active() const { return active_; }
    unsigned uncounted() const { return uncounted_; }

    /// The begin of the oldest window that newer ones wait for.
    std::optional<Instant> oldest_awaited() const {
        return awaited_.empty() ? std::nullopt : std::optional(*awaited_.begin());
    }

    /// The begin of the newest of those windows.
    std::optional<Instant> newest_awaited() const {
        return awaited_.empty() ? std::nullopt : std::optional(*awaited_.rbegin());
    }

  private:
    RecordBudget& budget_;
    unsigned active_ = 0;
    unsigned uncounted_ = 0;
    std::uint64_t expected_ = 0;
    std::uint64_t queued_ = 0;
    std::multiset<Instant> awaited_;
};

}  // namespace mirror::plan
