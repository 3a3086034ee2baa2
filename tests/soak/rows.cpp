#include "tests/soak/rows.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "core/time/text.hpp"

namespace mirror::soak {

using simulator::Row;

namespace {

// More unusable records in one reply are a bad reply.
constexpr std::uint64_t most_malformed = 3;

// The API may hide much for so long.
constexpr std::uint64_t longest_hiding = 3600;

constexpr Seconds a_day = std::chrono::hours(24);

}  // namespace

Rows::Rows(World& world, Dice& dice, Seconds horizon, const Fate& fate)
    : world_(world),
      dice_(dice),
      horizon_(horizon),
      fate_(fate),
      maker_(dice.below(1000)),
      left_(dice.skewed(400)),
      mean_pause_(1 + dice.skewed(1800)) {
    const Instant now = world.clock.now();
    begin_ = now - seconds(3600 + dice.skewed(86400 * 400));
    if (fate_.retention) {
        begin_ = std::max(begin_, now - *fate_.retention);
        next_expiry_ = now + seconds(dice.below(86400));
    }
    if (dice.in(20)) {
        id_step_ = 1 + static_cast<std::int64_t>(dice.below(1'000'000'000));
    }
    std::uint64_t rows = dice.in(10) ? 0 : dice.skewed(500);
    if (fate_.hides) {
        rows += 150;  // enough for a mass
    }
    std::vector<Instant> times;
    while (times.size() < rows) {
        const Instant at =
            begin_ + seconds(dice.below(static_cast<std::uint64_t>((now - begin_).count())));
        // Bursts: a second, a minute, an hour.
        const std::uint64_t burst = dice.in(80) ? 1 : 1 + dice.below(40);
        const std::uint64_t within = dice.one_of(std::vector<std::uint64_t>{1, 60, 3600});
        for (std::uint64_t i = 0; i < burst && times.size() < rows; ++i) {
            times.push_back(std::min(at + seconds(dice.below(within)), now));
        }
    }
    std::sort(times.begin(), times.end());
    for (const Instant at : times) {
        add(at, true);
    }
    next_ = now;
}

void Rows::add(Instant at, bool prompt) {
    const std::int64_t id = std::exchange(next_id_, next_id_ + id_step_);
    world_.account.add(maker_.make(id, at, 400 + id % 9));
    known_[id] = {at, prompt};
    newest_.push_back(id);
}

// Another record with an ID that is there. Neither of the two changes any more.
void Rows::add_double() {
    const Instant now = world_.clock.now();
    const std::int64_t id = recent();
    if (id == 0 || known_.at(id).at == now) {
        return;
    }
    world_.account.add(maker_.make(id, now, 400 + id % 9));
    std::erase(newest_, id);
    excuses_.doubled.insert(id);
}

void Rows::add_malformed(Instant at) {
    Row row;
    row.id = std::exchange(next_id_, next_id_ + id_step_);
    row.at = at;
    row.raw = fmt::format("{{\"ID\":null,\"timestamp\":\"{}\",\"note\":{}}}",
                          format_local(world_.settings.zone.to_local(at)), row.id);
    world_.account.add(row);
    malformed_.push_back(row);
}

// The ID of a row that may still change; 0 if there is none.
std::int64_t Rows::recent() {
    const Instant now = world_.clock.now();
    std::erase_if(newest_, [&](std::int64_t id) {
        return known_.at(id).at < now - horizon_ || were_hidden_.contains(id);
    });
    return newest_.empty() ? 0 : dice_.one_of(newest_);
}

void Rows::one_more() {
    const Instant now = world_.clock.now();
    const std::uint64_t what = dice_.below(100);
    if (fate_.hides && !show_at_ && were_hidden_.empty() && dice_.in(3)) {
        hide();
    } else if (fate_.doubles && dice_.in(4)) {
        add_double();
    } else if (what < 55) {
        add(now, true);
    } else if (what < 60) {
        const std::uint64_t burst = dice_.below(30);
        for (std::uint64_t i = 0; i < burst; ++i) {
            add(now, true);
        }
    } else if (what < 75) {
        const auto late = dice_.skewed(static_cast<std::uint64_t>(horizon_.count()));
        add(std::max(begin_, now - seconds(late)), false);
    } else if (what < 77 && malformed_.size() < most_malformed) {
        add_malformed(now);
    } else if (what < 82 && !gone_.empty()) {
        const Row row = gone_.back();
        gone_.pop_back();
        if (row.at >= now - horizon_) {
            world_.account.add(row);
            newest_.push_back(row.id);
            came_back_.insert(row.id);
        }
    } else {
        change_or_remove();
    }
}

void Rows::change_or_remove() {
    const std::int64_t id = recent();
    if (id == 0) {
        return;
    }
    known_.at(id).prompt = false;
    Row changed;
    world_.account.change(id, [&](Row& row) {
        row.profile = 1 + dice_.between(0, 1'000'000);
        if (dice_.in(30)) {
            row.useragent = fmt::format("Changed/{}", dice_.below(5));
            row.device = dice_.in(50) ? std::optional<std::string>("tablet") : std::nullopt;
        }
        changed = row;
    });
    // An account that shows no rows at all is never taken for emptied.
    if (dice_.in(45) && world_.account.size() > 3 && world_.account.remove(id)) {
        std::erase(newest_, id);
        gone_.push_back(changed);
    }
}

// What is older than the retention is there no more.
void Rows::expire() {
    const Instant cutoff = world_.clock.now() - *fate_.retention;
    for (const auto& [id, known] : known_) {
        std::vector<Row> shown;
        while (known.at < cutoff) {
            Row row;
            if (!world_.account.change(id, [&row](const Row& held) { row = held; })) {
                break;
            }
            world_.account.remove(id);
            shown.push_back(row);
        }
        if (known.at < cutoff && shown.empty() && !excuses_.expired.contains(id)) {
            excuses_.unknown.insert(id);  // removed before; nobody may have seen that
        }
        for (const Row& row : shown) {
            if (row.at >= cutoff) {
                world_.account.add(row);  // the second one of two is younger
            } else if (were_hidden_.contains(id) || excuses_.doubled.contains(id) ||
                       came_back_.contains(id)) {
                // It may have been removed when the mirror last saw it.
                excuses_.unknown.insert(id);
            } else {
                excuses_.expired.insert(id);
            }
        }
    }
    for (const Row& row : malformed_) {
        if (row.at < cutoff && world_.account.remove(row.id)) {
            ++excuses_.malformed_expired;
        }
    }
    for (const Row& row : away_) {
        if (row.at < cutoff) {
            excuses_.unknown.insert(row.id);
        }
    }
    std::erase_if(away_, [cutoff](const Row& row) { return row.at < cutoff; });
}

// All that is older than some moment, or any rows.
void Rows::hide() {
    const Instant now = world_.clock.now();
    const auto all = static_cast<std::uint64_t>((now - begin_).count());
    const Instant before = dice_.in(60) ? begin_ + seconds(dice_.below(all)) : now;
    const std::uint64_t share = before == now ? 20 + dice_.below(70) : 100;
    for (auto& [id, known] : known_) {
        if (known.at >= before || excuses_.doubled.contains(id) || !dice_.in(share)) {
            continue;
        }
        Row row;
        if (world_.account.change(id, [&row](const Row& held) { row = held; })) {
            world_.account.remove(id);
            known.prompt = false;
            away_.push_back(row);
            hidden_.insert(id);
            were_hidden_.insert(id);
        }
    }
    show_at_ = now + seconds(1 + dice_.below(longest_hiding));
}

void Rows::show_again() {
    for (const Row& row : std::exchange(away_, {})) {
        world_.account.add(row);
    }
    hidden_.clear();
    show_at_.reset();
}

std::optional<Instant> Rows::next() const {
    std::optional<Instant> first;
    const auto consider = [&first](std::optional<Instant> at) {
        if (at) {
            first = std::min(first.value_or(*at), *at);
        }
    };
    consider(left_ > 0 ? std::optional(next_) : std::nullopt);
    consider(next_expiry_);
    consider(show_at_);
    return first;
}

void Rows::end() {
    left_ = 0;
    show_again();
}

// What is due happens at its own time only as far as the clock has come: the world looks when a
// request arrives, and before that it could not be seen.
bool Rows::go_on() {
    const Instant now = world_.clock.now();
    bool happened = false;
    for (; next() && *next() <= now; happened = true) {
        if (show_at_ && *show_at_ <= now) {
            show_again();
        } else if (next_expiry_ && *next_expiry_ <= now) {
            expire();
            next_expiry_ = std::max(*next_expiry_ + a_day, now - a_day);
        } else {
            one_more();
            --left_;
            next_ = std::max(next_, now - seconds(mean_pause_ * 20)) +
                    seconds(dice_.below(mean_pause_ * 2));
        }
    }
    return happened;
}

}  // namespace mirror::soak
