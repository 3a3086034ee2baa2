#include "storage/user_agents.hpp"

#include <utility>

namespace mirror::storage {
namespace {

// What a remembered pair costs beside its text.
constexpr std::size_t entry_overhead = 80;

// Any two values, absent or with any bytes in them, as one text that no other pair has.
void make_key(std::string& key, const std::optional<std::string_view>& useragent,
              const std::optional<std::string_view>& device) {
    key.clear();
    key.push_back(device ? 'd' : '-');
    key.push_back(useragent ? 'u' : '-');
    if (device) {
        const std::size_t size = device->size();
        key.append(reinterpret_cast<const char*>(&size), sizeof size);
        key.append(*device);
    }
    if (useragent) {
        key.append(*useragent);
    }
}

}  // namespace

UserAgents::UserAgents(sqlite3* connection, std::size_t memory)
    : select_(connection,
              "SELECT id FROM user_agents "
              "WHERE ifnull(useragent, 0) = ifnull(?1, 0) AND ifnull(device, 0) = ifnull(?2, 0)"),
      insert_(connection,
              "INSERT INTO user_agents (useragent, device) VALUES (?1, ?2) RETURNING id"),
      generation_bytes_(memory / 2) {}

std::optional<std::int64_t> UserAgents::number(const std::optional<std::string_view>& useragent,
                                               const std::optional<std::string_view>& device) {
    if (!useragent && !device) {
        return std::nullopt;
    }
    make_key(pair_, useragent, device);
    if (const std::int64_t* known = find(pair_)) {
        return *known;
    }
    select_.bind(1, useragent);
    select_.bind(2, device);
    std::optional<std::int64_t> number = select_.run();
    if (!number) {
        insert_.bind(1, useragent);
        insert_.bind(2, device);
        number = insert_.run();
    }
    remember(pair_, number.value());
    return number;
}

void UserAgents::forget() {
    young_.clear();
    old_.clear();
    young_bytes_ = 0;
}

const std::int64_t* UserAgents::find(const std::string& pair) {
    if (const auto found = young_.find(pair); found != young_.end()) {
        return &found->second;
    }
    const auto found = old_.find(pair);
    if (found == old_.end()) {
        return nullptr;
    }
    remember(pair, found->second);
    const auto moved = young_.find(pair);
    return moved == young_.end() ? nullptr : &moved->second;
}

void UserAgents::remember(const std::string& pair, std::int64_t number) {
    const std::size_t bytes = pair.size() + entry_overhead;
    if (bytes > generation_bytes_) {
        return;
    }
    if (young_bytes_ + bytes > generation_bytes_) {
        old_ = std::exchange(young_, Known{});
        young_bytes_ = 0;
    }
    young_.emplace(pair, number);
    young_bytes_ += bytes;
}

}  // namespace mirror::storage
