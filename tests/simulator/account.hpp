// The ground truth: the rows of a simulated account, and which of them the API shows when.
#pragma once

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

namespace simulator {

/// One mail open, as a test states it.
struct Row {
    std::int64_t id = 0;
    mirror::Instant at{};
    std::optional<std::int64_t> mailing;
    std::optional<std::string> ip;
    std::optional<std::string> useragent;  ///< invalid UTF-8 is sent as U+FFFD, as PHP does
    std::optional<std::string> device;
    std::optional<std::int64_t> destination;
    std::optional<std::int64_t> profile;
    std::optional<std::int64_t> subprofile;

    /// The API shows the row from then on; always, where absent.
    std::optional<mirror::Instant> visible_from;

    /// Sent in place of the text derived from `at`.
    std::optional<std::string> timestamp;
    /// Members added to the record, as JSON without braces: "\"country\":\"NL\"".
    std::optional<std::string> extra;
    /// Sent in place of the whole record, as it is. The row is then none of the truth, unless
    /// `raw_is_row` says that a mirror must read it as the members above.
    std::optional<std::string> raw;
    bool raw_is_row = false;
};

/// What a mirror's view `impressions` must hold of a row, column by column.
struct TrueRow {
    std::int64_t id = 0;
    std::optional<std::int64_t> mailing;
    std::string timestamp;
    std::optional<std::string> ip;
    std::optional<std::string> useragent;
    std::optional<std::string> device;
    std::optional<std::int64_t> destination;
    std::optional<std::int64_t> profile;
    std::optional<std::int64_t> subprofile;
    friend bool operator==(const TrueRow&, const TrueRow&) = default;
};

/// A row while it is read: texts are null where the field is.
struct RowView {
    std::int64_t id = 0;
    mirror::LocalTime local{};
    std::optional<std::int64_t> mailing;
    std::optional<std::int64_t> destination;
    std::optional<std::int64_t> profile;
    std::optional<std::int64_t> subprofile;
    const std::string* ip = nullptr;
    const std::string* useragent = nullptr;
    const std::string* device = nullptr;
    const std::string* timestamp = nullptr;
    const std::string* extra = nullptr;
    const std::string* raw = nullptr;
};

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

/// The rows of one account. Safe to use from several threads at once.
class Account {
  public:
    /// Throws mirror::UnknownZone.
    explicit Account(const std::string& zone = "Europe/Amsterdam");

    const mirror::Zone& zone() const { return zone_; }

    void add(const Row& row);
    /// False where there is no such row.
    bool change(std::int64_t id, const std::function<void(Row&)>& edit);
    bool remove(std::int64_t id);
    void clear();

    /// Of all rows, visible or not.
    std::size_t size() const;

    /// Hands rows `start` to `start + limit` of the selection to `take`, and returns how many the
    /// selection has. `take` must not call the account.
    std::uint64_t read(const Selection& selection, std::uint64_t start, std::uint64_t limit,
                       const std::function<void(const RowView&)>& take) const;

    /// The rows that the API shows at `now`, ascending by ID.
    std::vector<TrueRow> truth(mirror::Instant now) const;

    /// How many records the API shows at `now` that cannot be rows.
    std::size_t malformed(mirror::Instant now) const;

  private:
    using Slot = std::uint32_t;
    using Text = std::uint32_t;  // a place in texts_; 0 is null

    // 80 bytes a row, so that millions fit.
    struct Stored {
        std::int64_t id;
        mirror::Instant at;
        mirror::LocalTime local;
        mirror::Instant visible_from;
        std::int64_t mailing, destination, profile, subprofile;
        Text ip, useragent, device;
        std::uint32_t special;  // a place in specials_; 0 is none
    };
    struct Special {
        std::optional<std::string> timestamp, extra, raw;
        bool raw_is_row = false;
    };
    struct ByInstant;
    struct ByLocal;

    Stored store(const Row& row);
    Row restore(const Stored& stored) const;
    Text keep(const std::optional<std::string>& text);
    const std::string* text(Text place) const;
    RowView view(const Stored& stored) const;
    bool is_row(const Stored& stored) const;
    void sort() const;
    std::optional<Slot> find(std::int64_t id) const;
    void forget(Slot slot);
    mirror::LocalTime without_gap(mirror::LocalTime bound) const;
    mirror::Instant instant_of(mirror::LocalTime bound, const Selection& selection) const;
    std::pair<std::size_t, std::size_t> range(const Selection& selection) const;

    mirror::Zone zone_;
    mutable std::mutex mutex_;
    std::vector<Stored> rows_;
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
