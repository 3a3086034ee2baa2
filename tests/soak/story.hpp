// What happens to an account and its API while a mirror follows it, drawn from a seed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "core/time/window.hpp"
#include "tests/simulator/generate.hpp"
#include "tests/soak/world.hpp"

namespace mirror::soak {

/// Numbers from a seed, the same with every library.
class Dice {
  public:
    explicit Dice(std::uint64_t seed) : random_(seed) {}

    std::uint64_t below(std::uint64_t limit) { return limit == 0 ? 0 : random_() % limit; }
    std::int64_t between(std::int64_t least, std::int64_t most) {
        return least +
               static_cast<std::int64_t>(below(static_cast<std::uint64_t>(most - least) + 1));
    }
    bool in(std::uint64_t hundred) { return below(100) < hundred; }
    template <typename Value>
    const Value& one_of(const std::vector<Value>& values) {
        return values[below(values.size())];
    }
    /// Small numbers often, large ones seldom; up to `most`.
    std::uint64_t skewed(std::uint64_t most) { return below(below(most + 1) + 1); }

  private:
    std::mt19937_64 random_;
};

/// Rows that come in time and late, that change, go, and come back. What happens to a row happens
/// while the mirror still promises to see it: before it is older than `horizon`.
class Rows {
  public:
    /// Adds the past of the account to `world`.
    Rows(World& world, Dice& dice, Seconds horizon);

    /// Lets happen what is due by the world's clock. True if something was.
    bool go_on();
    /// When the next thing is due; nothing: never.
    std::optional<Instant> next() const { return left_ > 0 ? std::optional(next_) : std::nullopt; }
    /// Nothing happens any more.
    void end() { left_ = 0; }

    /// The begin of the account: no row is older.
    Instant begin() const { return begin_; }

    /// Rows that were shown from their second on and have not changed since: what is covered has
    /// them, at any time.
    struct Known {
        Instant at{};
        bool prompt = true;
    };
    const std::map<std::int64_t, Known>& known() const { return known_; }

  private:
    void one_more();
    void add(Instant at, bool prompt);
    void add_malformed(Instant at);
    std::int64_t recent();

    World& world_;
    Dice& dice_;
    Seconds horizon_;
    Instant begin_{};
    simulator::RowMaker maker_;
    std::int64_t next_id_ = 1;
    std::int64_t id_step_ = 1;
    std::map<std::int64_t, Known> known_;
    std::vector<std::int64_t> newest_;  // what may still change, in the order of their coming
    std::vector<simulator::Row> gone_;
    std::uint64_t left_;  // events to come
    std::uint64_t malformed_ = 0;
    Instant next_{};
    std::uint64_t mean_pause_;
};

/// A server, as the documentation leaves it open.
simulator::Behaviour any_behaviour(Dice& dice);

/// A configuration, as people may have it.
void any_settings(sync::Settings& settings, Dice& dice);

/// Where the clock stands at first: an ordinary day, or around a night when clocks are changed.
Instant any_moment(Dice& dice, const Zone& zone);

/// What goes wrong with the API for a while.
class Weather {
  public:
    /// `percent` of the requests fail. With `lies`, some replies look right and are not.
    Weather(Dice& dice, std::uint64_t percent, bool lies)
        : dice_(dice), percent_(percent), lies_(lies) {}

    Trouble trouble(const simulator::Request& request);

  private:
    Dice& dice_;
    std::uint64_t percent_;
    bool lies_;
};

}  // namespace mirror::soak
