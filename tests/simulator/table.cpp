#include "tests/simulator/table.hpp"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "core/time/text.hpp"
#include "tests/simulator/canonical.hpp"
#include "tests/simulator/chance.hpp"
#include "tests/simulator/encode.hpp"

namespace simulator {
namespace {

using mirror::Instant;
using mirror::LocalTime;
using mirror::Seconds;

constexpr std::int64_t null_number = std::numeric_limits<std::int64_t>::min();

bool is_number(const Member& member) {
    return std::holds_alternative<std::optional<std::int64_t> Row::*>(member);
}

std::optional<std::int64_t> Row::*number_of(const Member& member) {
    return std::get<std::optional<std::int64_t> Row::*>(member);
}

std::optional<std::string> Row::*text_of(const Member& member) {
    return std::get<std::optional<std::string> Row::*>(member);
}

}  // namespace

struct Table::ByInstant {
    const std::vector<Stored>& rows;
    bool operator()(Slot a, Slot b) const {
        return std::tie(rows[a].at, rows[a].id, a) < std::tie(rows[b].at, rows[b].id, b);
    }
    bool operator()(Slot a, Instant at) const { return rows[a].at < at; }
    bool operator()(Instant at, Slot b) const { return at < rows[b].at; }
};

struct Table::ByLocal {
    const std::vector<Stored>& rows;
    bool operator()(Slot a, Slot b) const {
        return std::tie(rows[a].local, rows[a].id, a) < std::tie(rows[b].local, rows[b].id, b);
    }
    bool operator()(Slot a, LocalTime at) const { return rows[a].local < at; }
    bool operator()(LocalTime at, Slot b) const { return at < rows[b].local; }
};

Table::Table(StreamId stream, const mirror::Zone& zone) : stream_(stream), zone_(zone) {
    for (const Field& field : facts_of(stream).fields) {
        if (!std::holds_alternative<std::monostate>(field.member)) {
            is_number_.at(members_.size()) = is_number(field.member);
            members_.push_back(field.member);
        }
    }
    clear();
}

void Table::clear() {
    const std::lock_guard lock(mutex_);
    rows_.clear();
    cells_.clear();
    text_places_.clear();
    texts_.assign(1, "");
    specials_.assign(1, {});
    latest_visible_from_ = Instant::min();
    by_instant_.clear();
    by_local_.clear();
    unsorted_.clear();
}

void Table::add(const Row& row) {
    const std::lock_guard lock(mutex_);
    const auto slot = static_cast<Slot>(rows_.size());
    rows_.emplace_back();
    cells_.resize(cells_.size() + members_.size());
    store(row, slot);
    unsorted_.push_back(slot);
}

void Table::reserve(std::size_t rows) {
    const std::lock_guard lock(mutex_);
    rows_.reserve(rows_.size() + rows);
    cells_.reserve(cells_.size() + rows * members_.size());
    unsorted_.reserve(unsorted_.size() + rows);
}

bool Table::change(std::int64_t id, const std::function<void(Row&)>& edit) {
    const std::lock_guard lock(mutex_);
    const std::optional<Slot> slot = find(id);
    if (!slot) {
        return false;
    }
    Row row = restore(*slot);
    edit(row);
    forget(*slot);
    store(row, *slot);
    unsorted_.push_back(*slot);
    return true;
}

bool Table::remove(std::int64_t id) {
    const std::lock_guard lock(mutex_);
    const std::optional<Slot> slot = find(id);
    if (!slot) {
        return false;
    }
    forget(*slot);
    return true;
}

std::size_t Table::size() const {
    const std::lock_guard lock(mutex_);
    return by_instant_.size() + unsorted_.size();
}

std::int64_t Table::greatest_id() const {
    const std::lock_guard lock(mutex_);
    std::int64_t greatest = 0;
    for (const Stored& row : rows_) {
        greatest = std::max(greatest, row.id);
    }
    return greatest;
}

std::uint64_t Table::read(const Selection& selection, std::uint64_t start, std::uint64_t limit,
                          const std::function<void(const RowView&)>& take) const {
    const std::lock_guard lock(mutex_);
    sort();
    const auto [first, last] = range(selection);
    const std::vector<Slot>& index = selection.reading == Reading::text ? by_local_ : by_instant_;
    const bool all_visible = latest_visible_from_ <= selection.now;

    if (all_visible && selection.order == Order::by_time) {
        const std::size_t rows = last - first;
        const std::size_t from = std::min<std::uint64_t>(start, rows);
        const std::size_t to = from + std::min<std::uint64_t>(limit, rows - from);
        for (std::size_t i = from; i < to; ++i) {
            take(view(index[first + i]));
        }
        return rows;
    }

    std::vector<Slot> slots;
    slots.reserve(last - first);
    for (std::size_t i = first; i < last; ++i) {
        if (all_visible || rows_[index[i]].visible_from <= selection.now) {
            slots.push_back(index[i]);
        }
    }
    const auto by = [&](auto key) {
        const auto less = [&](Slot a, Slot b) { return key(rows_[a]) < key(rows_[b]); };
        if (!std::is_sorted(slots.begin(), slots.end(), less)) {
            std::sort(slots.begin(), slots.end(), less);
        }
    };
    switch (selection.order) {
        case Order::by_time:
            break;
        case Order::by_time_descending:
            std::reverse(slots.begin(), slots.end());
            break;
        case Order::by_id:
            by([](const Stored& row) { return std::make_pair(row.id, row.at); });
            break;
        case Order::shuffled:
        case Order::shuffled_each_request: {
            const std::uint64_t salt =
                selection.order == Order::shuffled ? 0 : scatter(selection.salt + 1);
            by([salt](const Stored& row) {
                return std::make_pair(scatter(static_cast<std::uint64_t>(row.id) ^ salt), row.at);
            });
            break;
        }
    }
    const std::size_t from = std::min<std::uint64_t>(start, slots.size());
    const std::size_t to = from + std::min<std::uint64_t>(limit, slots.size() - from);
    for (std::size_t i = from; i < to; ++i) {
        take(view(slots[i]));
    }
    return slots.size();
}

std::vector<Values> Table::truth(Instant now) const {
    const std::lock_guard lock(mutex_);
    sort();
    std::vector<Slot> shown;
    for (const Slot slot : by_instant_) {
        if (rows_[slot].visible_from <= now && is_row(rows_[slot])) {
            shown.push_back(slot);
        }
    }
    std::sort(shown.begin(), shown.end(),
              [&](Slot a, Slot b) { return rows_[a].id < rows_[b].id; });
    std::vector<Values> truth;
    truth.reserve(shown.size());
    for (const Slot slot : shown) {
        truth.push_back(values(view(slot)));
    }
    return truth;
}

Values Table::values(const RowView& row) const {
    Values result;
    auto cell = row.cells.begin();
    for (const Field& field : facts_of(stream_).fields) {
        if (field.form == FieldForm::id) {
            result.emplace_back(row.id);
        } else if (field.form == FieldForm::timestamp) {
            result.emplace_back(row.timestamp != nullptr ? *row.timestamp
                                                         : mirror::format_local(row.local));
        } else {
            const Cell& held = *cell++;
            if (held.null) {
                result.emplace_back();
            } else if (held.text == nullptr) {
                result.emplace_back(held.number);
            } else {
                result.emplace_back(field.form == FieldForm::json ? canonical(*held.text)
                                                                  : *held.text);
            }
        }
    }
    return result;
}

std::size_t Table::malformed(Instant now) const {
    const std::lock_guard lock(mutex_);
    sort();
    return static_cast<std::size_t>(std::count_if(
        by_instant_.begin(), by_instant_.end(),
        [&](Slot slot) { return rows_[slot].visible_from <= now && !is_row(rows_[slot]); }));
}

void Table::store(const Row& row, Slot slot) {
    Stored& stored = rows_[slot];
    stored.id = row.id;
    stored.at = row.at;
    stored.local = zone_.to_local(row.at);
    stored.visible_from = row.visible_from.value_or(Instant::min());
    stored.special = 0;
    std::size_t cell = slot * members_.size();
    for (const Member& member : members_) {
        cells_[cell++] = is_number(member) ? (row.*number_of(member)).value_or(null_number)
                                           : keep(row.*text_of(member));
    }
    if (row.timestamp || row.extra || row.raw) {
        stored.special = static_cast<std::uint32_t>(specials_.size());
        specials_.push_back({row.timestamp, row.extra, row.raw, row.raw_is_row});
    }
    latest_visible_from_ = std::max(latest_visible_from_, stored.visible_from);
}

Row Table::restore(Slot slot) const {
    const Stored& stored = rows_[slot];
    Row row;
    row.id = stored.id;
    row.at = stored.at;
    const RowView seen = view(slot);
    auto cell = seen.cells.begin();
    for (const Member& member : members_) {
        const Cell& held = *cell++;
        if (held.null) {
            continue;
        }
        if (is_number(member)) {
            row.*number_of(member) = held.number;
        } else {
            row.*text_of(member) = *held.text;
        }
    }
    if (stored.visible_from != Instant::min()) {
        row.visible_from = stored.visible_from;
    }
    const Special& special = specials_[stored.special];
    row.timestamp = special.timestamp;
    row.extra = special.extra;
    row.raw = special.raw;
    row.raw_is_row = special.raw_is_row;
    return row;
}

Table::Text Table::keep(const std::optional<std::string>& text) {
    if (!text) {
        return 0;
    }
    if (const auto known = text_places_.find(*text); known != text_places_.end()) {
        return known->second;
    }
    // What cannot be sent is not part of the truth, either.
    std::string valid = valid_utf8(*text);
    if (const auto known = text_places_.find(valid); known != text_places_.end()) {
        return known->second;
    }
    const Text place = static_cast<Text>(texts_.size());
    texts_.push_back(std::move(valid));
    text_places_.emplace(texts_.back(), place);
    return place;
}

const std::string* Table::text(Text place) const {
    return place == 0 ? nullptr : &texts_[place];
}

RowView Table::view(Slot slot) const {
    const Stored& stored = rows_[slot];
    RowView row;
    row.id = stored.id;
    row.at = stored.at;
    row.local = stored.local;
    const std::int64_t* held = cells_.data() + slot * members_.size();
    for (std::size_t i = 0; i < members_.size(); ++i) {
        Cell& cell = row.cells[i];
        if (is_number_[i]) {
            cell.null = held[i] == null_number;
            cell.number = held[i];
        } else {
            cell.text = text(static_cast<Text>(held[i]));
            cell.null = cell.text == nullptr;
        }
    }
    if (stored.special != 0) {
        const Special& special = specials_[stored.special];
        row.timestamp = special.timestamp ? &*special.timestamp : nullptr;
        row.extra = special.extra ? &*special.extra : nullptr;
        row.raw = special.raw ? &*special.raw : nullptr;
    }
    return row;
}

bool Table::is_row(const Stored& stored) const {
    const Special& special = specials_[stored.special];
    if (special.raw) {
        return special.raw_is_row;
    }
    return stored.id >= 1 && (!special.timestamp || mirror::parse_local(*special.timestamp));
}

void Table::sort() const {
    const auto into = [&](std::vector<Slot>& index, auto less) {
        constexpr std::size_t few = 64;
        if (unsorted_.size() <= few) {
            for (const Slot slot : unsorted_) {
                index.insert(std::upper_bound(index.begin(), index.end(), slot, less), slot);
            }
            return;
        }
        const auto sorted = static_cast<std::ptrdiff_t>(index.size());
        index.insert(index.end(), unsorted_.begin(), unsorted_.end());
        std::sort(index.begin() + sorted, index.end(), less);
        // New rows are mostly the latest ones: then there is nothing to merge.
        const auto middle = index.begin() + sorted;
        std::inplace_merge(std::upper_bound(index.begin(), middle, *middle, less), middle,
                           index.end(), less);
    };
    if (!unsorted_.empty()) {
        into(by_instant_, ByInstant{rows_});
        into(by_local_, ByLocal{rows_});
        unsorted_.clear();
    }
}

std::optional<Table::Slot> Table::find(std::int64_t id) const {
    sort();
    // From the newest: those are what tests and live accounts change.
    const auto found = std::find_if(by_instant_.rbegin(), by_instant_.rend(),
                                    [&](Slot slot) { return rows_[slot].id == id; });
    return found == by_instant_.rend() ? std::nullopt : std::optional(*found);
}

void Table::forget(Slot slot) {
    const auto from = [&](std::vector<Slot>& index, auto less) {
        index.erase(std::lower_bound(index.begin(), index.end(), slot, less));
    };
    from(by_instant_, ByInstant{rows_});
    from(by_local_, ByLocal{rows_});
}

// PHP counts on from the last second before the gap: 02:59:59 becomes 03:59:59.
LocalTime Table::without_gap(LocalTime bound) const {
    const Instant change = zone_.earliest(bound);
    const LocalTime goes_on_at = zone_.to_local(change);
    if (goes_on_at == bound) {
        return bound;
    }
    const LocalTime gap_begins = zone_.to_local(change - Seconds(1)) + Seconds(1);
    return goes_on_at + (bound - gap_begins);
}

Instant Table::instant_of(LocalTime bound, const Selection& selection) const {
    return selection.repeated == Repeated::first ? zone_.earliest(bound) : zone_.latest(bound);
}

std::pair<std::size_t, std::size_t> Table::range(const Selection& selection) const {
    const auto read = [&](LocalTime bound) {
        return selection.gap == Gap::forward ? without_gap(bound) : bound;
    };
    const auto lookup = [&](const std::vector<Slot>& index, auto less, auto convert) {
        auto first = index.begin();
        auto last = index.end();
        if (selection.begin) {
            const auto bound = convert(read(*selection.begin));
            first = selection.begin_bound == Bound::inclusive
                        ? std::lower_bound(index.begin(), index.end(), bound, less)
                        : std::upper_bound(index.begin(), index.end(), bound, less);
        }
        if (selection.end) {
            const auto bound = convert(read(*selection.end));
            last = selection.end_bound == Bound::inclusive
                       ? std::upper_bound(index.begin(), index.end(), bound, less)
                       : std::lower_bound(index.begin(), index.end(), bound, less);
        }
        last = std::max(first, last);
        return std::make_pair(static_cast<std::size_t>(first - index.begin()),
                              static_cast<std::size_t>(last - index.begin()));
    };
    if (selection.reading == Reading::text) {
        return lookup(by_local_, ByLocal{rows_}, [](LocalTime bound) { return bound; });
    }
    return lookup(by_instant_, ByInstant{rows_},
                  [&](LocalTime bound) { return instant_of(bound, selection); });
}

}  // namespace simulator
