// The ground truth: all rows of a simulated account, stream by stream.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/time/instant.hpp"
#include "core/time/zone.hpp"
#include "tests/simulator/row.hpp"
#include "tests/simulator/streams.hpp"
#include "tests/simulator/table.hpp"

namespace simulator {

/// The rows of one account. Safe to use from several threads at once, except for choose().
class Account {
  public:
    /// Throws mirror::UnknownZone.
    explicit Account(const std::string& zone = "Europe/Amsterdam");
    Account(const Account&) = delete;
    Account& operator=(const Account&) = delete;

    const mirror::Zone& zone() const { return zone_; }

    Table& of(StreamId stream) { return *tables_[index_of(stream)]; }
    const Table& of(StreamId stream) const { return *tables_[index_of(stream)]; }

    /// The stream that the members below are about: the impressions, until a test that runs for
    /// each stream chooses another one.
    void choose(StreamId stream) { chosen_ = stream; }
    StreamId chosen() const { return chosen_; }

    void add(const Row& row) { of(chosen_).add(row); }
    bool change(std::int64_t id, const std::function<void(Row&)>& edit) {
        return of(chosen_).change(id, edit);
    }
    bool remove(std::int64_t id) { return of(chosen_).remove(id); }
    std::size_t size() const { return of(chosen_).size(); }
    std::uint64_t read(const Selection& selection, std::uint64_t start, std::uint64_t limit,
                       const std::function<void(const RowView&)>& take) const {
        return of(chosen_).read(selection, start, limit, take);
    }
    std::size_t malformed(mirror::Instant now) const { return of(chosen_).malformed(now); }

    /// The impressions that the API shows at `now`, ascending by ID.
    std::vector<TrueRow> truth(mirror::Instant now) const;

    /// Of all streams.
    void clear();

  private:
    mirror::Zone zone_;
    std::array<std::unique_ptr<Table>, stream_count> tables_;
    StreamId chosen_ = StreamId::impressions;
};

/// An impression by the names of its columns.
TrueRow as_true_row(const Values& impression);

}  // namespace simulator
