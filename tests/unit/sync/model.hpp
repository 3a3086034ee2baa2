// The API as a table of rows, and its ways to answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/copernica/page.hpp"
#include "core/copernica/page_query.hpp"
#include "core/time/instant.hpp"
#include "core/time/zone.hpp"

namespace mirror::tests {

struct LoggedRow {
    std::int64_t id = 0;  ///< 0: the record has no usable ID
    Instant at{};
    LocalTime time{};
};

enum class Order { time, time_descending, id, hash };
inline constexpr Order all_orders[] = {Order::time, Order::time_descending, Order::id, Order::hash};

/// How the server takes a bound: as text, or as one of the two instants that show it.
enum class Bounds { text, first_pass, second_pass };

/// The rows of the API, and its ways to answer.
class Model {
  public:
    explicit Model(Zone account_zone) : zone(std::move(account_zone)) {}

    Zone zone;
    Order order = Order::time;
    bool begin_inclusive = false;
    bool end_inclusive = false;
    Bounds bounds = Bounds::text;
    std::size_t cap = 1000;  ///< records in a reply at the most, whatever it says

    /// Adds a row with the next ID, or one without. Returns its place.
    void add(Instant at, bool nameless = false);
    /// Adds one with a given ID.
    void add_as(std::int64_t id, Instant at);
    void erase(std::size_t place);

    copernica::Page answer(const copernica::PageQuery& query, Instant now) const;
    std::vector<std::size_t> matching(const copernica::PageQuery& query, Instant now) const;
    const std::vector<LoggedRow>& rows() const { return rows_; }

  private:
    void sort() const;
    std::vector<std::size_t> logged(Instant first, Instant last) const;

    std::vector<LoggedRow> rows_;
    std::int64_t next_id_ = 1;
    mutable std::vector<std::size_t> sorted_;      // places of rows, in the order of the list
    mutable std::vector<std::size_t> ranks_;       // by place: where it stands in there
    mutable std::vector<std::size_t> by_instant_;  // places of rows, as they were logged
    mutable std::optional<Order> sorted_by_;
};

}  // namespace mirror::tests
