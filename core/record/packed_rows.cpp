#include "core/record/packed_rows.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <tuple>

namespace mirror {
namespace {

constexpr std::size_t block_size = std::size_t{32} * 1024;

// Which of the values that may be absent a row has.
enum Present : unsigned {
    has_mailing = 1U << 0U,
    has_destination = 1U << 1U,
    has_profile = 1U << 2U,
    has_subprofile = 1U << 3U,
    has_ip = 1U << 4U,
    has_extra = 1U << 5U,
};

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

// An absent integer is no reason to forget what the next one is told by.
void put_integer(std::string& to, unsigned& present, unsigned flag, std::int64_t& last,
                 const std::optional<std::int64_t>& value) {
    if (value) {
        present |= flag;
        put_number(to, step(last, *value));
        last = *value;
    }
}

void take_integer(const char*& at, unsigned present, unsigned flag, std::int64_t& last,
                  std::optional<std::int64_t>& value) {
    if ((present & flag) == 0) {
        value.reset();
        return;
    }
    last = after_step(last, take_number(at));
    value = last;
}

std::size_t hash_of(const std::optional<std::string_view>& text) {
    return text ? std::hash<std::string_view>{}(*text) : 0;
}

}  // namespace

std::size_t PackedRows::AgentHash::operator()(const Agent& agent) const {
    return hash_of(agent.first) * 31 + hash_of(agent.second);
}

// Within one call the same text nearly always stands at the same place (see RepeatedTexts), so
// that places can be compared before texts.
class PackedRows::RecentAgents {
  public:
    explicit RecentAgents(PackedRows& rows) : rows_(rows) {}

    std::size_t number_of(const Agent& agent) {
        const char* const useragent = agent.first ? agent.first->data() : nullptr;
        Entry& entry = entries_[std::hash<const void*>{}(useragent) / 16 % entries_.size()];
        if (!entry.used || !same_place(entry.agent.first, agent.first) ||
            !same_place(entry.agent.second, agent.second)) {
            entry = {true, agent, rows_.number_of(agent)};
        }
        return entry.number;
    }

  private:
    struct Entry {
        bool used = false;
        Agent agent;
        std::size_t number = 0;
    };

    static bool same_place(const std::optional<std::string_view>& a,
                           const std::optional<std::string_view>& b) {
        return a.has_value() == b.has_value() &&
               (!a || (a->data() == b->data() && a->size() == b->size()));
    }

    PackedRows& rows_;
    std::array<Entry, 256> entries_{};
};

void PackedRows::add(std::span<const Impression> rows) {
    RecentAgents recent(*this);
    for (const Impression& row : rows) {
        pack(row, recent.number_of({row.useragent, row.device}));
    }
}

std::size_t PackedRows::number_of(const Agent& agent) {
    if (const auto known = agent_numbers_.find(agent); known != agent_numbers_.end()) {
        return known->second;
    }
    Agent kept = agent;
    for (auto* const text : {&kept.first, &kept.second}) {
        if (*text) {
            *text = agent_texts_.keep(**text);
        }
    }
    agents_.push_back(kept);
    return agent_numbers_.emplace(kept, agents_.size() - 1).first->second;
}

void PackedRows::pack(const Impression& row, std::size_t agent) {
    unsigned present = 0;
    packed_.assign(1, '\0');
    put_number(packed_, step(last_.id, row.id));
    last_.id = row.id;
    const std::int64_t time = row.time.time_since_epoch().count();
    put_number(packed_, step(last_.time, time));
    last_.time = time;
    put_number(packed_, agent);
    put_integer(packed_, present, has_mailing, last_.mailing, row.mailing);
    put_integer(packed_, present, has_destination, last_.destination, row.destination);
    put_integer(packed_, present, has_profile, last_.profile, row.profile);
    put_integer(packed_, present, has_subprofile, last_.subprofile, row.subprofile);
    if (row.ip) {
        present |= has_ip;
        put_text(packed_, *row.ip);
    }
    if (row.extra) {
        present |= has_extra;
        put_text(packed_, *row.extra);
    }
    packed_.front() = static_cast<char>(present);

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

const Impression* PackedRows::Reader::next() {
    while (block_ < rows_->blocks_.size()) {
        const Block& block = rows_->blocks_[block_];
        if (at_ == block.used) {
            ++block_;
            at_ = 0;
            continue;
        }
        const char* const begin = block.bytes.get() + at_;
        const char* at = begin;
        const auto present = static_cast<unsigned char>(*at++);
        row_.id = last_.id = after_step(last_.id, take_number(at));
        last_.time = after_step(last_.time, take_number(at));
        row_.time = LocalTime(Seconds(last_.time));
        agent_ = take_number(at);
        std::tie(row_.useragent, row_.device) = rows_->agents_[agent_];
        take_integer(at, present, has_mailing, last_.mailing, row_.mailing);
        take_integer(at, present, has_destination, last_.destination, row_.destination);
        take_integer(at, present, has_profile, last_.profile, row_.profile);
        take_integer(at, present, has_subprofile, last_.subprofile, row_.subprofile);
        row_.ip = (present & has_ip) != 0 ? std::optional(take_text(at)) : std::nullopt;
        row_.extra = (present & has_extra) != 0 ? std::optional(take_text(at)) : std::nullopt;
        at_ += static_cast<std::size_t>(at - begin);
        const std::size_t place = place_++;
        if (place >= rows_->removed_.size() || !rows_->removed_[place]) {
            return &row_;
        }
    }
    return nullptr;
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
