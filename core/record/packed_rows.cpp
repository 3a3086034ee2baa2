#include "core/record/packed_rows.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace mirror {
namespace {

constexpr std::size_t block_size = std::size_t{32} * 1024;

// Which of the values that may be absent a row has: a bit each, in this order.
constexpr unsigned first_text = most_integers;
constexpr unsigned extra_place = first_text + most_texts;
static_assert(extra_place < 32);

// Seven bits a byte, the lowest first; the top bit says that there are more.
void put_number(std::string& to, std::uint64_t value) {
    constexpr std::uint64_t more = 0x80;
    while (value >= more) {
        to.push_back(static_cast<char>(value | more));
        value >>= 7U;
    }
    to.push_back(static_cast<char>(value));
}

std::uint64_t take_number(const char*& at) {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        const auto byte = static_cast<unsigned char>(*at++);
        value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
        if (byte < 0x80U) {
            return value;
        }
    }
}

// The step from one integer to the next, small steps in both directions as small numbers. All in
// unsigned arithmetic, where a step over the end comes back on the other side.
std::uint64_t step(std::int64_t from, std::int64_t to) {
    const std::uint64_t difference =
        static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
    const std::uint64_t sign = difference >> 63U;
    return difference << 1U ^ (0 - sign);
}

std::int64_t after_step(std::int64_t from, std::uint64_t step) {
    const std::uint64_t difference = step >> 1U ^ (0 - (step & 1U));
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(from) + difference);
}

void put_text(std::string& to, std::string_view text) {
    put_number(to, text.size());
    to += text;
}

std::string_view take_text(const char*& at) {
    const std::size_t size = take_number(at);
    const std::string_view text(at, size);
    at += size;
    return text;
}

constexpr std::size_t first_slots = 256;

// The place of a text; null if it is absent. An empty one has a place, too.
const char* place_of(const std::optional<std::string_view>& text) {
    return text ? text->data() : nullptr;
}

bool same_places(const Entry& a, const Entry& b) {
    return place_of(a.first) == place_of(b.first) && place_of(a.second) == place_of(b.second);
}

}  // namespace

std::size_t PackedRows::Numbered::number_of(const Entry& entry) {
    // A quarter of the slots stays free.
    if ((entries_.size() + 1) * 4 > slots_.size() * 3) {
        grow();
    }
    std::uint32_t& slot = slots_[slot_of(entry)];
    if (slot == 0) {
        entries_.push_back(entry);
        slot = static_cast<std::uint32_t>(entries_.size());
    }
    return slot - 1;
}

// Where the entry's number stands, or would stand. Places are multiples of nothing in particular,
// and near each other: the multiplication spreads them (Knuth).
std::size_t PackedRows::Numbered::slot_of(const Entry& entry) const {
    constexpr std::uint64_t golden = 0x9E3779B97F4A7C15;
    constexpr std::uint64_t other = 0xC2B2AE3D27D4EB4F;
    constexpr unsigned used_bits = 32;
    const auto first = reinterpret_cast<std::uintptr_t>(place_of(entry.first));
    const auto second = reinterpret_cast<std::uintptr_t>(place_of(entry.second));
    std::size_t at = (first * golden + second * other) >> used_bits & (slots_.size() - 1);
    while (slots_[at] != 0 && !same_places(entries_[slots_[at] - 1], entry)) {
        at = (at + 1) & (slots_.size() - 1);
    }
    return at;
}

void PackedRows::Numbered::grow() {
    slots_.assign(std::max(first_slots, slots_.size() * 2), 0);
    for (std::size_t number = 0; number < entries_.size(); ++number) {
        slots_[slot_of(entries_[number])] = static_cast<std::uint32_t>(number + 1);
    }
}

void PackedRows::add(std::span<const Row> rows, const std::shared_ptr<const TextPool>& entries) {
    if (rows.empty()) {
        return;
    }
    if (entries && (pools_.empty() || pools_.back() != entries)) {
        pools_.push_back(entries);
    }
    for (const Row& row : rows) {
        std::array<std::size_t, most_entries> numbers{};
        for (std::size_t slot = 0; slot < most_entries; ++slot) {
            numbers[slot] =
                numbered_[slot].number_of(entries ? row.entries[slot] : copy_of(row.entries[slot]));
        }
        pack(row, numbers);
    }
}

Entry PackedRows::copy_of(const Entry& entry) {
    if (!own_pool_) {
        own_pool_ = std::make_shared<TextPool>();
    }
    Entry copy = entry;
    for (auto* const text : {&copy.first, &copy.second}) {
        if (*text) {
            *text = own_pool_->keep(**text);
        }
    }
    return copy;
}

void PackedRows::pack(const Row& row, const std::array<std::size_t, most_entries>& numbers) {
    packed_.clear();
    put_number(packed_, present_in(row));
    put_number(packed_, step(last_.id, row.id));
    last_.id = row.id;
    const std::int64_t time = row.time.time_since_epoch().count();
    put_number(packed_, step(last_.time, time));
    last_.time = time;
    for (const std::size_t number : numbers) {
        put_number(packed_, number);
    }
    for (std::size_t i = 0; i < most_integers; ++i) {
        // The next integer is compared with the last one present.
        if (row.integers[i]) {
            put_number(packed_, step(last_.integers[i], *row.integers[i]));
            last_.integers[i] = *row.integers[i];
        }
    }
    for (const auto& text : row.texts) {
        if (text) {
            put_text(packed_, *text);
        }
    }
    if (row.extra) {
        put_text(packed_, *row.extra);
    }
    keep_packed();
}

unsigned PackedRows::present_in(const Row& row) {
    unsigned present = 0;
    for (unsigned i = 0; i < most_integers; ++i) {
        present |= (row.integers[i] ? 1U : 0U) << i;
    }
    for (unsigned i = 0; i < most_texts; ++i) {
        present |= (row.texts[i] ? 1U : 0U) << (first_text + i);
    }
    return present | (row.extra ? 1U : 0U) << extra_place;
}

void PackedRows::keep_packed() {
    if (blocks_.empty() || blocks_.back().size - blocks_.back().used < packed_.size()) {
        Block block;
        block.size = std::max(block_size, packed_.size());
        block.bytes = std::make_unique_for_overwrite<char[]>(block.size);
        blocks_.push_back(std::move(block));
    }
    Block& block = blocks_.back();
    std::memcpy(block.bytes.get() + block.used, packed_.data(), packed_.size());
    block.used += packed_.size();
    ++added_;
}

const Row* PackedRows::Reader::next() {
    while (block_ < rows_->blocks_.size()) {
        const Block& block = rows_->blocks_[block_];
        if (at_ == block.used) {
            ++block_;
            at_ = 0;
            continue;
        }
        const char* const begin = block.bytes.get() + at_;
        at_ += unpack(begin);
        const std::size_t place = place_++;
        if (place >= rows_->removed_.size() || !rows_->removed_[place]) {
            return &row_;
        }
    }
    return nullptr;
}

// Returns how many bytes the row takes.
std::size_t PackedRows::Reader::unpack(const char* begin) {
    const char* at = begin;
    const std::uint64_t present = take_number(at);
    const auto has = [present](std::size_t place) { return (present >> place & 1U) != 0; };
    row_.id = last_.id = after_step(last_.id, take_number(at));
    last_.time = after_step(last_.time, take_number(at));
    row_.time = LocalTime(Seconds(last_.time));
    for (std::size_t i = 0; i < most_entries; ++i) {
        numbers_[i] = take_number(at);
        row_.entries[i] = rows_->numbered_[i].entries()[numbers_[i]];
    }
    for (std::size_t i = 0; i < most_integers; ++i) {
        row_.integers[i].reset();
        if (has(i)) {
            row_.integers[i] = last_.integers[i] = after_step(last_.integers[i], take_number(at));
        }
    }
    for (std::size_t i = 0; i < most_texts; ++i) {
        row_.texts[i].reset();
        if (has(first_text + i)) {
            row_.texts[i] = take_text(at);
        }
    }
    row_.extra = has(extra_place) ? std::optional(take_text(at)) : std::nullopt;
    return static_cast<std::size_t>(at - begin);
}

void PackedRows::seal() {
    for (Numbered& numbered : numbered_) {
        numbered.seal();
    }
}

void PackedRows::remove(std::size_t place) {
    if (removed_.size() <= place) {
        removed_.resize(place + 1);
    }
    if (!removed_[place]) {
        removed_[place] = true;
        ++removed_count_;
    }
}

}  // namespace mirror
