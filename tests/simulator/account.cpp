#include "tests/simulator/account.hpp"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "core/time/text.hpp"
#include "tests/simulator/encode.hpp"

namespace simulator {
namespace {

using mirror::Instant;
using mirror::LocalTime;
using mirror::Seconds;

constexpr std::int64_t null_number = std::numeric_limits<std::int64_t>::min();

std::int64_t pack(const std::optional<std::int64_t>& number) {
    return number.value_or(null_number);
}

std::optional<std::int64_t> unpack(std::int64_t number) {
    return number == null_number ? std::nullopt : std::optional(number);
}

std::optional<std::string> copy(const std::string* text) {
    return text == nullptr ? std::nullopt : std::optional(*text);
}

// Spreads neighbours far apart; the same for the same input.
std::uint64_t scatter(std::uint64_t value) {
    value += 0x9e3779b97f4a7c15U;
    value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
    value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
    return value ^ (value >> 31U);
}

}  // namespace

struct Account::ByInstant {
    const std::vector<Stored>& rows;
    bool operator()(Slot a, Slot b) const {
        return std::tie(rows[a].at, rows[a].id, a) < std::tie(rows[b].at, rows[b].id, b);
    }
    bool operator()(Slot a, Instant at) const { return rows[a].at < at; }
    bool operator()(Instant at, Slot b) const { return at < rows[b].at; }
};

struct Account::ByLocal {
    const std::vector<Stored>& rows;
    bool operator()(Slot a, Slot b) const {
        return std::tie(rows[a].local, rows[a].id, a) < std::tie(rows[b].local, rows[b].id, b);
    }
    bool operator()(Slot a, LocalTime at) const { return rows[a].local < at; }
    bool operator()(LocalTime at, Slot b) const { return at < rows[b].local; }
};

Account::Account(const std::string& zone) : zone_(zone) {
    clear();
}

void Account::clear() {
    const std::lock_guard lock(mutex_);
    rows_.clear();
    text_places_.clear();
    texts_.assign(1, "");
    specials_.assign(1, {});
    latest_visible_from_ = Instant::min();
    by_instant_.clear();
    by_local_.clear();
    unsorted_.clear();
}

void Account::add(const Row& row) {
    const std::lock_guard lock(mutex_);
    unsorted_.push_back(static_cast<Slot>(rows_.size()));
    rows_.push_back(store(row));
}

bool Account::change(std::int64_t id, const std::function<void(Row&)>& edit) {
    const std::lock_guard lock(mutex_);
    const std::optional<Slot> slot = find(id);
    if (!slot) {
        return false;
    }
    Row row = restore(rows_[*slot]);
    edit(row);
    forget(*slot);
    rows_[*slot] = store(row);
    unsorted_.push_back(*slot);
    return true;
}

bool Account::remove(std::int64_t id) {
    const std::lock_guard lock(mutex_);
    const std::optional<Slot> slot = find(id);
    if (!slot) {
        return false;
    }
    forget(*slot);
    return true;
}

std::size_t Account::size() const {
    const std::lock_guard lock(mutex_);
    return by_instant_.size() + unsorted_.size();
}

std::uint64_t Account::read(const Selection& selection, std::uint64_t start, std::uint64_t limit,
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
            take(view(rows_[index[first + i]]));
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
        take(view(rows_[slots[i]]));
    }
    return slots.size();
}

std::vector<TrueRow> Account::truth(Instant now) const {
    const std::lock_guard lock(mutex_);
    sort();
    std::vector<TrueRow> truth;
    for (const Slot slot : by_instant_) {
        const Stored& stored = rows_[slot];
        if (stored.visible_from > now || !is_row(stored)) {
            continue;
        }
        const RowView row = view(stored);
        TrueRow& expected = truth.emplace_back();
        expected.id = row.id;
        expected.mailing = row.mailing;
        expected.timestamp =
            row.timestamp != nullptr ? *row.timestamp : mirror::format_local(row.local);
        expected.ip = copy(row.ip);
        expected.useragent = copy(row.useragent);
        expected.device = copy(row.device);
        expected.destination = row.destination;
        expected.profile = row.profile;
        expected.subprofile = row.subprofile;
    }
    std::sort(truth.begin(), truth.end(),
              [](const TrueRow& a, const TrueRow& b) { return a.id < b.id; });
    return truth;
}

std::size_t Account::malformed(Instant now) const {
    const std::lock_guard lock(mutex_);
    sort();
    return static_cast<std::size_t>(std::count_if(
        by_instant_.begin(), by_instant_.end(),
        [&](Slot slot) { return rows_[slot].visible_from <= now && !is_row(rows_[slot]); }));
}

Account::Stored Account::store(const Row& row) {
    Stored stored{};
    stored.id = row.id;
    stored.at = row.at;
    stored.local = zone_.to_local(row.at);
    stored.visible_from = row.visible_from.value_or(Instant::min());
    stored.mailing = pack(row.mailing);
    stored.destination = pack(row.destination);
    stored.profile = pack(row.profile);
    stored.subprofile = pack(row.subprofile);
    stored.ip = keep(row.ip);
    stored.useragent = keep(row.useragent);
    stored.device = keep(row.device);
    if (row.timestamp || row.extra || row.raw) {
        stored.special = static_cast<std::uint32_t>(specials_.size());
        specials_.push_back({row.timestamp, row.extra, row.raw, row.raw_is_row});
    }
    latest_visible_from_ = std::max(latest_visible_from_, stored.visible_from);
    return stored;
}

Row Account::restore(const Stored& stored) const {
    Row row;
    row.id = stored.id;
    row.at = stored.at;
    row.mailing = unpack(stored.mailing);
    row.ip = copy(text(stored.ip));
    row.useragent = copy(text(stored.useragent));
    row.device = copy(text(stored.device));
    row.destination = unpack(stored.destination);
    row.profile = unpack(stored.profile);
    row.subprofile = unpack(stored.subprofile);
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

Account::Text Account::keep(const std::optional<std::string>& text) {
    if (!text) {
        return 0;
    }
    if (const auto known = text_places_.find(*text); known != text_places_.end()) {
        return known->second;
    }
    // What cannot be sent is no truth either.
    std::string valid = valid_utf8(*text);
    if (const auto known = text_places_.find(valid); known != text_places_.end()) {
        return known->second;
    }
    const Text place = static_cast<Text>(texts_.size());
    texts_.push_back(std::move(valid));
    text_places_.emplace(texts_.back(), place);
    return place;
}

const std::string* Account::text(Text place) const {
    return place == 0 ? nullptr : &texts_[place];
}

RowView Account::view(const Stored& stored) const {
    RowView row;
    row.id = stored.id;
    row.local = stored.local;
    row.mailing = unpack(stored.mailing);
    row.destination = unpack(stored.destination);
    row.profile = unpack(stored.profile);
    row.subprofile = unpack(stored.subprofile);
    row.ip = text(stored.ip);
    row.useragent = text(stored.useragent);
    row.device = text(stored.device);
    if (stored.special != 0) {
        const Special& special = specials_[stored.special];
        row.timestamp = special.timestamp ? &*special.timestamp : nullptr;
        row.extra = special.extra ? &*special.extra : nullptr;
        row.raw = special.raw ? &*special.raw : nullptr;
    }
    return row;
}

bool Account::is_row(const Stored& stored) const {
    const Special& special = specials_[stored.special];
    if (special.raw) {
        return special.raw_is_row;
    }
    return stored.id >= 1 && (!special.timestamp || mirror::parse_local(*special.timestamp));
}

void Account::sort() const {
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

std::optional<Account::Slot> Account::find(std::int64_t id) const {
    sort();
    // From the newest: those are what tests and live accounts change.
    const auto found = std::find_if(by_instant_.rbegin(), by_instant_.rend(),
                                    [&](Slot slot) { return rows_[slot].id == id; });
    return found == by_instant_.rend() ? std::nullopt : std::optional(*found);
}

void Account::forget(Slot slot) {
    const auto from = [&](std::vector<Slot>& index, auto less) {
        index.erase(std::lower_bound(index.begin(), index.end(), slot, less));
    };
    from(by_instant_, ByInstant{rows_});
    from(by_local_, ByLocal{rows_});
}

// PHP counts on from the last second before the gap: 02:59:59 becomes 03:59:59.
LocalTime Account::without_gap(LocalTime bound) const {
    const Instant change = zone_.earliest(bound);
    const LocalTime goes_on_at = zone_.to_local(change);
    if (goes_on_at == bound) {
        return bound;
    }
    const LocalTime gap_begins = zone_.to_local(change - Seconds(1)) + Seconds(1);
    return goes_on_at + (bound - gap_begins);
}

Instant Account::instant_of(LocalTime bound, const Selection& selection) const {
    return selection.repeated == Repeated::first ? zone_.earliest(bound) : zone_.latest(bound);
}

std::pair<std::size_t, std::size_t> Account::range(const Selection& selection) const {
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
