// The rows of an account while a mirror follows it: they come, change, go, expire and hide.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "core/time/window.hpp"
#include "tests/simulator/generate.hpp"
#include "tests/soak/dice.hpp"
#include "tests/soak/world.hpp"

namespace mirror::soak {

/// What the API does with rows besides showing them.
struct Fate {
    /// Once a day, what is older is dropped.
    std::optional<Seconds> retention;
    /// Some IDs come a second time.
    bool doubles = false;
    /// Once, for an hour at the most, much is not shown.
    bool hides = false;

    bool usual() const { return !retention && !doubles && !hides; }
};

/// Rows that come in time and late, that change, go, and come back. What happens to a row happens
/// while the mirror still promises to see it: before it is older than `horizon`.
class Rows {
  public:
    /// Adds the past of the account to `world`.
    Rows(World& world, Dice& dice, Seconds horizon, const Fate& fate);

    /// Lets happen what is due by the world's clock. True if something was.
    bool go_on();
    /// When the next thing is due; nothing: never.
    std::optional<Instant> next() const;
    /// Nothing new happens any more. Old rows are dropped still.
    void end();

    /// The begin of the account: no row is older.
    Instant begin() const { return begin_; }

    /// Rows that were shown from their second on and have not changed since: what is covered has
    /// them, at any time.
    struct Known {
        Instant at{};
        bool prompt = true;
    };
    const std::map<std::int64_t, Known>& known() const { return known_; }
    /// IDs of rows that are not shown for now.
    const std::set<std::int64_t>& hidden() const { return hidden_; }
    /// What no call can show.
    const Excuses& excuses() const { return excuses_; }

  private:
    void one_more();
    void add(Instant at, bool prompt);
    void add_double();
    void add_malformed(Instant at);
    void change_or_remove();
    void expire();
    void hide();
    void show_again();
    std::int64_t recent();

    World& world_;
    Dice& dice_;
    Seconds horizon_;
    Fate fate_;
    Instant begin_{};
    simulator::RowMaker maker_;
    std::int64_t next_id_ = 1;
    std::int64_t id_step_ = 1;
    std::map<std::int64_t, Known> known_;
    std::vector<std::int64_t> newest_;  // what may still change, in the order of their coming
    std::vector<simulator::Row> gone_;
    std::uint64_t left_;  // events to come
    std::vector<simulator::Row> malformed_;
    Instant next_{};
    std::uint64_t mean_pause_;

    std::optional<Instant> next_expiry_;
    std::vector<simulator::Row> away_;  // the hidden ones
    std::set<std::int64_t> hidden_;
    std::set<std::int64_t> were_hidden_;
    std::set<std::int64_t> came_back_;  // after they were removed
    std::optional<Instant> show_at_;
    Excuses excuses_;
};

}  // namespace mirror::soak
