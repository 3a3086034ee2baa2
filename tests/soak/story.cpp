#include "tests/soak/story.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/time/text.hpp"

namespace mirror::soak {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

}  // namespace

Fate any_fate(Dice& dice) {
    Fate fate;
    if (dice.in(20)) {
        fate.retention = hours(24 * 8) + seconds(dice.skewed(86400 * 60));
    }
    fate.doubles = dice.in(15);
    fate.hides = dice.in(15);
    return fate;
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
    settings.sweep = dice.one_of(
        std::vector<std::optional<Seconds>>{std::nullopt, hours(24 * 9), hours(24 * 90)});
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
    switch (dice_.below(lies_ ? 27 : 24)) {
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
            what.fault = faults::error(401, "Invalid access token");
            break;
        case 20:
            what.fault = faults::error(403, "No access");
            break;
        case 21:
            what.fault = faults::status(401, "<html>Login</html>");
            break;
        case 22:
            what.fault = faults::status(403, "<html>Blocked</html>");
            break;
        case 23:
            what.fault = faults::status(404, "<html>Not found</html>");
            break;
        case 24:
            // A record without an ID, sent in place of another, cannot be told from a second one.
            what.fault = faults::duplicate();
            break;
        case 25:
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
