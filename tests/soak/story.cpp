#include "tests/soak/story.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/time/text.hpp"

namespace mirror::soak {

using simulator::Row;

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

// More unusable records in one reply are a bad reply.
constexpr std::uint64_t most_malformed = 3;

Seconds seconds(std::uint64_t count) {
    return Seconds(static_cast<std::int64_t>(count));
}

}  // namespace

Rows::Rows(World& world, Dice& dice, Seconds horizon)
    : world_(world),
      dice_(dice),
      horizon_(horizon),
      maker_(dice.below(1000)),
      left_(dice.skewed(400)),
      mean_pause_(1 + dice.skewed(1800)) {
    const Instant now = world.clock.now();
    begin_ = now - seconds(3600 + dice.skewed(86400 * 400));
    if (dice.in(20)) {
        id_step_ = 1 + static_cast<std::int64_t>(dice.below(1'000'000'000));
    }
    const std::uint64_t rows = dice.in(10) ? 0 : dice.skewed(500);
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

void Rows::add_malformed(Instant at) {
    Row row;
    row.id = std::exchange(next_id_, next_id_ + id_step_);
    row.at = at;
    row.raw = fmt::format("{{\"ID\":null,\"timestamp\":\"{}\",\"note\":{}}}",
                          format_local(world_.settings.zone.to_local(at)), row.id);
    world_.account.add(row);
    ++malformed_;
}

// The ID of a row that may still change; 0 if there is none.
std::int64_t Rows::recent() {
    const Instant now = world_.clock.now();
    std::erase_if(newest_, [&](std::int64_t id) { return known_.at(id).at < now - horizon_; });
    return newest_.empty() ? 0 : dice_.one_of(newest_);
}

void Rows::one_more() {
    const Instant now = world_.clock.now();
    const std::uint64_t what = dice_.below(100);
    if (what < 55) {
        add(now, true);
    } else if (what < 60) {
        const std::uint64_t burst = dice_.below(30);
        for (std::uint64_t i = 0; i < burst; ++i) {
            add(now, true);
        }
    } else if (what < 75) {
        const auto late = dice_.skewed(static_cast<std::uint64_t>(horizon_.count()));
        add(std::max(begin_, now - seconds(late)), false);
    } else if (what < 77 && malformed_ < most_malformed) {
        add_malformed(now);
    } else if (what < 82 && !gone_.empty()) {
        const Row row = gone_.back();
        gone_.pop_back();
        if (row.at >= now - horizon_) {
            world_.account.add(row);
            newest_.push_back(row.id);
        }
    } else if (const std::int64_t id = recent(); id != 0) {
        known_.at(id).prompt = false;
        world_.account.change(id, [&](Row& row) {
            row.profile = 1 + dice_.between(0, 1'000'000);
            if (dice_.in(30)) {
                row.useragent = fmt::format("Changed/{}", dice_.below(5));
                row.device = dice_.in(50) ? std::optional<std::string>("tablet") : std::nullopt;
            }
            gone_.push_back(row);
        });
        // An account that shows nothing any more is not believed, however often it says so.
        if (dice_.in(45) && world_.account.size() > 3) {
            world_.account.remove(id);
            std::erase(newest_, id);
        } else {
            gone_.pop_back();
        }
    }
}

// What is due happens at its own time only as far as the clock has come: the world looks when a
// request arrives, and before that nobody could have seen it.
bool Rows::go_on() {
    const Instant now = world_.clock.now();
    const std::uint64_t left_before = left_;
    while (left_ > 0 && next_ <= now) {
        one_more();
        --left_;
        next_ = std::max(next_, now - seconds(mean_pause_ * 20)) +
                seconds(dice_.below(mean_pause_ * 2));
    }
    return left_ != left_before;
}

simulator::Behaviour any_behaviour(Dice& dice) {
    using namespace simulator;
    Behaviour behaviour;
    behaviour.order = dice.one_of(std::vector<Order>{
        Order::by_time, Order::by_time, Order::by_time_descending, Order::by_id, Order::shuffled});
    behaviour.begin = dice.in(50) ? Bound::exclusive : Bound::inclusive;
    behaviour.end = dice.in(50) ? Bound::exclusive : Bound::inclusive;
    behaviour.reading = dice.in(60) ? Reading::text : Reading::instant;
    behaviour.repeated = dice.in(50) ? Repeated::first : Repeated::second;
    behaviour.gap = dice.in(50) ? Gap::forward : Gap::literal;
    behaviour.max_page = dice.one_of(std::vector<std::uint64_t>{2, 5, 20, 100, 1000, 1000});
    behaviour.named_limit = dice.one_of(
        std::vector<NamedLimit>{NamedLimit::in_force, NamedLimit::asked, NamedLimit::documented});
    if (dice.in(15)) {
        behaviour.longest_period = hours(dice.between(24, 24 * 60));
    }
    behaviour.numbers =
        dice.one_of(std::vector<Numbers>{Numbers::strings, Numbers::numbers, Numbers::today});
    behaviour.encoding = dice.in(50) ? Encoding::php : Encoding::utf8;
    behaviour.profile_fields = !dice.in(10);
    if (dice.in(15)) {
        behaviour.extra_members = "\"country\":\"NL\"";
    }
    return behaviour;
}

void any_settings(sync::Settings& settings, Dice& dice) {
    settings.page_size = dice.one_of(std::vector<std::uint32_t>{2, 3, 10, 100, 1000, 1000});
    settings.connections = static_cast<unsigned>(dice.between(1, 6));
    settings.requests_per_second = dice.in(50) ? 1000 : 10;
    settings.poll_interval = Seconds(dice.one_of(std::vector<int>{5, 60, 60, 300}));
    settings.overlap = Seconds(dice.one_of(std::vector<int>{0, 30, 120, 120, 600}));
    settings.settle = Seconds(dice.one_of(std::vector<int>{1, 5, 5, 20}));
    settings.jitter_seed = dice.below(1000);
    settings.recheck_ages =
        dice.one_of(std::vector<std::vector<Seconds>>{{minutes(15), hours(24), hours(24 * 7)},
                                                      {minutes(15), hours(24), hours(24 * 7)},
                                                      {hours(1)},
                                                      {minutes(5), hours(3)}});
}

Instant any_moment(Dice& dice, const Zone& zone) {
    const Instant ordinary = Instant(Seconds(1'780'000'000)) + seconds(dice.below(86400 * 365));
    if (dice.in(40)) {
        return ordinary;
    }
    // The next change of the clocks, some hours before it or after.
    for (int day = 0; day < 366; ++day) {
        const Instant at = ordinary + hours(24 * day);
        const auto offset = [&](Instant when) {
            return zone.to_local(when).time_since_epoch() - when.time_since_epoch();
        };
        if (offset(at) != offset(at + hours(24))) {
            return at + Seconds(dice.between(-86400, 86400 * 2));
        }
    }
    return ordinary;
}

Trouble Weather::trouble(const simulator::Request& request) {
    namespace faults = simulator::faults;
    using simulator::Delivery;
    Trouble what;
    what.latency = milliseconds(5 + dice_.skewed(3000));
    if (!dice_.in(percent_)) {
        return what;
    }
    switch (dice_.below(lies_ ? 22 : 19)) {
        case 0:
            what.fault = faults::gateway(502);
            break;
        case 1:
            what.fault = faults::gateway(503);
            break;
        case 2:
            what.fault = faults::too_many_requests(std::to_string(dice_.below(20)));
            break;
        case 3:
            what.fault = faults::delivery(Delivery::close_before);
            break;
        case 4:
            what.fault = faults::delivery(Delivery::reset_in_body);
            break;
        case 5:
            what.fault = faults::delivery(Delivery::hang);
            break;
        case 6:
            what.fault = faults::html_as_ok();
            break;
        case 7:
            what.fault = faults::malformed_json();
            break;
        case 8:
            what.fault = faults::cut_json();
            break;
        case 9:
            what.fault = faults::trailing("{}");
            break;
        case 10:
            what.fault = faults::short_page(dice_.below(5));
            break;
        case 11:
            what.fault = faults::error(400, "Unexpected");
            break;
        case 12:
            what.fault = faults::wrong_start(1 + dice_.below(9));
            break;
        case 13:
            what.fault = faults::wrong_count(dice_.between(1, 3));
            break;
        case 14:
            what.fault = faults::without_total();
            break;
        case 15:
        case 16:
            what.fault = faults::delay(milliseconds(dice_.below(20'000)));
            break;
        case 17:
            what.date_error.reset();
            break;
        case 18:
            // A Date that is wrong by less than a minute is within what is believed.
            what.date_error = Seconds(dice_.between(120, 7200) * (dice_.in(50) ? 1 : -1));
            break;
        case 19:
            // A record without an ID, sent in place of another, cannot be told from a second one.
            what.fault = faults::duplicate();
            break;
        case 20:
            what.fault = faults::other_period(seconds(3600 + dice_.below(86400)));
            break;
        default:
            what.fault = faults::empty_reply();
            break;
    }
    // A 400 of this call means that the token is refused.
    if (request.call == simulator::Call::identity && what.fault && what.fault->reply &&
        what.fault->reply->status == 400) {
        what.fault = faults::gateway(504);
    }
    return what;
}

}  // namespace mirror::soak
