#include "core/copernica/twins.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/record/row_json.hpp"
#include "core/time/text.hpp"

namespace mirror::copernica {
namespace {

// Most lists have none, in whatever order they come: this moves no rows to find that out.
bool has_twins(const std::vector<Row>& rows) {
    std::vector<std::pair<std::int64_t, LocalTime>> identities;
    identities.reserve(rows.size());
    for (const Row& row : rows) {
        identities.emplace_back(row.id, row.time);
    }
    if (!std::is_sorted(identities.begin(), identities.end())) {
        std::sort(identities.begin(), identities.end());
    }
    return std::adjacent_find(identities.begin(), identities.end()) != identities.end();
}

bool is_twin(const Row& a, const Row& b) {
    return a.id == b.id && a.time == b.time;
}

// The places of rows, so that twins are neighbours, and the one that stays comes first.
std::vector<std::size_t> by_identity(const Stream& stream, const std::vector<Row>& rows) {
    std::vector<std::size_t> places(rows.size());
    for (std::size_t i = 0; i < places.size(); ++i) {
        places[i] = i;
    }
    std::sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) {
        if (!is_twin(rows[a], rows[b])) {
            return std::tie(rows[a].id, rows[a].time) < std::tie(rows[b].id, rows[b].time);
        }
        return a != b && json_of(stream, rows[a]) < json_of(stream, rows[b]);
    });
    return places;
}

// Of each row, among all records of the page.
std::vector<std::size_t> positions_of_rows(const Page& page) {
    std::vector<std::size_t> positions;
    positions.reserve(page.rows.size());
    auto reject = page.rejects.begin();
    for (std::size_t position = 0; positions.size() < page.rows.size(); ++position) {
        if (reject != page.rejects.end() && reject->position == position) {
            ++reject;
        } else {
            positions.push_back(position);
        }
    }
    return positions;
}

Reject reject_of(const Stream& stream, const Row& row, std::size_t position) {
    Reject reject;
    reject.position = position;
    reject.time = row.time;
    reject.timestamp = format_local(row.time);
    reject.reason = "another record has its ID and its time: " + std::to_string(row.id);
    reject.record = json_of(stream, row);
    return reject;
}

// Of rejects, which have an ID if they have no time.
void take_repeated_ids(Page& page) {
    for (std::size_t i = 1; i < page.rejects.size(); ++i) {
        std::optional<std::int64_t>& id = page.rejects[i].id;
        const auto before = page.rejects.begin() + static_cast<std::ptrdiff_t>(i);
        if (id && std::any_of(page.rejects.begin(), before,
                              [&](const Reject& other) { return other.id == id; })) {
            page.twin = id;
            id.reset();
        }
    }
}

}  // namespace

void set_twins_apart(const Stream& stream, Page& page) {
    take_repeated_ids(page);
    std::vector<Row>& rows = page.rows;
    if (!has_twins(rows)) {
        return;
    }
    const std::vector<std::size_t> places = by_identity(stream, rows);
    std::vector<bool> leaves(rows.size(), false);
    for (std::size_t i = 1; i < places.size(); ++i) {
        if (is_twin(rows[places[i - 1]], rows[places[i]])) {
            leaves[places[i]] = true;
            page.twin = rows[places[i]].id;
        }
    }
    const std::vector<std::size_t> positions = positions_of_rows(page);
    std::vector<Row> stay;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (leaves[i]) {
            page.rejects.push_back(reject_of(stream, rows[i], positions[i]));
        } else {
            stay.push_back(rows[i]);
        }
    }
    rows = std::move(stay);
    std::sort(page.rejects.begin(), page.rejects.end(),
              [](const Reject& a, const Reject& b) { return a.position < b.position; });
}

}  // namespace mirror::copernica
