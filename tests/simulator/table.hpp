// The ground truth of one stream: its rows, and which of them the API shows when.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/time/instant.hpp"
#include "core/time/zone.hpp"
#include "tests/simulator/behaviour.hpp"
#include "tests/simulator/row.hpp"
#include "tests/simulator/streams.hpp"

namespace simulator {

/// Which rows, in which order.
struct Selection {
    std::optional<mirror::LocalTime> begin;
    std::optional<mirror::LocalTime> end;
    Bound begin_bound = Bound::exclusive;
    Bound end_bound = Bound::exclusive;
    Reading reading = Reading::text;
    Repeated repeated = Repeated::first;
    Gap gap = Gap::forward;
    Order order = Order::by_time;
    std::uint64_t salt = 0;  ///< of Order::shuffled_each_request
    mirror::Instant now{};
};

/// The rows of one stream. Safe to use from several threads at once.
class Table {
  public:
    /// `zone` must live as long as the table.
    Table(StreamId stream, const mirror::Zone& zone);

    StreamId stream() const { return stream_; }

    void add(const Row& row);
    /// Room for so many more.
    void reserve(std::size_t rows);
    /// False if the row does not exist.
    bool change(std::int64_t id, const std::function<void(Row&)>& edit);
    bool remove(std::int64_t id);
    void clear();

    /// Of all rows, visible or not.
    std::size_t size() const;
    /// Of the rows that the table has ever had; 0 if it never had one.
    std::int64_t greatest_id() const;

    /// Hands rows `start` to `start + limit` of the selection to `take`, and returns how many the
    /// selection has. `take` must not call the table.
    std::uint64_t read(const Selection& selection, std::uint64_t start, std::uint64_t limit,
                       const std::function<void(const RowView&)>& take) const;

    /// The rows that the API shows at `now`, ascending by ID, as a mirror's view must hold them.
    std::vector<Values> truth(mirror::Instant now) const;

    /// How many records the API shows at `now` that cannot be rows.
    std::size_t malformed(mirror::Instant now) const;

  private:
    using Slot = std::uint32_t;
    using Text = std::uint32_t;  // a place in texts_; 0 is null

    // With its cells, 80 to 104 bytes a row, so that millions fit.
    struct Stored {
        std::int64_t id;
        mirror::Instant at;
        mirror::LocalTime local;
        mirror::Instant visible_from;
        std::uint32_t special;  // a place in specials_; 0 is none
    };
    struct Special {
        std::optional<std::string> timestamp, extra, raw;
        bool raw_is_row = false;
    };
    struct ByInstant;
    struct ByLocal;

    void store(const Row& row, Slot slot);
    Row restore(Slot slot) const;
    Text keep(const std::optional<std::string>& text);
    const std::string* text(Text place) const;
    RowView view(Slot slot) const;
    Values values(const RowView& row) const;
    bool is_row(const Stored& stored) const;
    void sort() const;
    std::optional<Slot> find(std::int64_t id) const;
    void forget(Slot slot);
    mirror::LocalTime without_gap(mirror::LocalTime bound) const;
    mirror::Instant instant_of(mirror::LocalTime bound, const Selection& selection) const;
    std::pair<std::size_t, std::size_t> range(const Selection& selection) const;

    StreamId stream_;
    std::vector<Member> members_;                // of the stream's fields, without ID and timestamp
    std::array<bool, most_fields> is_number_{};  // of each of them
    const mirror::Zone& zone_;
    mutable std::mutex mutex_;
    std::vector<Stored> rows_;
    std::vector<std::int64_t> cells_;  // row by row: a number, or a place in texts_
    std::deque<std::string> texts_;
    std::unordered_map<std::string_view, Text> text_places_;
    std::vector<Special> specials_;
    mirror::Instant latest_visible_from_ = mirror::Instant::min();

    // The rows that exist, in both orders, and those that are not yet in them.
    mutable std::vector<Slot> by_instant_;
    mutable std::vector<Slot> by_local_;
    mutable std::vector<Slot> unsorted_;
};

}  // namespace simulator
