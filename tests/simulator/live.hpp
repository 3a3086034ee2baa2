// Rows that are logged while the simulator runs.
#pragma once

#include <array>
#include <cstdint>

#include "tests/simulator/account.hpp"
#include "tests/simulator/generate.hpp"

namespace simulator {

/// Adds rows of a mailing that is being sent.
class LiveStory {
  public:
    /// With `whole_story`, an open brings what belongs to it in the other streams: it was
    /// delivered before, as were mails that nobody opens, of which the mailing has more
    /// destinations then; some opens are followed by a click, a few by more. Without, it brings
    /// nothing. IDs go on from those that the account has.
    LiveStory(Account& account, RowMaker maker, bool whole_story);

    /// One row of the account's chosen stream, and what belongs to it, at `now`.
    void happen(mirror::Instant now);

  private:
    void add(StreamId stream, Row row);
    void deliver(const Row& open, mirror::Instant now);
    void follow(const Row& open);

    Account& account_;
    RowMaker maker_;
    bool whole_story_;
    std::array<std::int64_t, stream_count> next_ids_{};
    std::int64_t mails_ = 0;
    std::uint64_t opens_ = 0;
};

}  // namespace simulator
