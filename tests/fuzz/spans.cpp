// Zones, the spans of windows in them, and sets of windows, against counting second by second.
#include <algorithm>
#include <array>
#include <bitset>
#include <optional>

#include "core/time/window.hpp"
#include "core/time/zone.hpp"
#include "tests/fuzz/target.hpp"

namespace mirror::fuzz {
namespace {

// Numbers out of the input; zeros when it has ended.
class Numbers {
  public:
    explicit Numbers(std::string_view input) : left_(input) {}

    bool empty() const { return left_.empty(); }

    std::uint64_t below(std::uint64_t bound, std::size_t bytes) {
        std::uint64_t value = 0;
        for (; bytes > 0 && !left_.empty(); --bytes) {
            value = value << 8 | static_cast<unsigned char>(left_.front());
            left_.remove_prefix(1);
        }
        return value % bound;
    }

  private:
    std::string_view left_;
};

// Half hours, days that never were, summer time below zero, offsets with seconds long ago.
const Zone& zone(std::size_t at) {
    static const std::array zones{
        Zone("Europe/Amsterdam"),  Zone("Australia/Lord_Howe"), Zone("Pacific/Apia"),
        Zone("Africa/Casablanca"), Zone("Europe/Dublin"),       Zone("Asia/Kolkata"),
        Zone("America/New_York"),  Zone("Antarctica/Troll"),    Zone("UTC"),
        Zone("America/Caracas"),   Zone("Asia/Pyongyang"),      Zone("America/St_Johns"),
    };
    return zones[at % zones.size()];
}

bool exists(const Zone& zone, LocalTime local) {
    return zone.to_local(zone.earliest(local)) == local;
}

bool occurs_twice(const Zone& zone, LocalTime local) {
    return zone.earliest(local) != zone.latest(local);
}

void check_instant(const Zone& zone, Instant at) {
    const LocalTime local = zone.to_local(at);
    require(exists(zone, local), "what clocks show does not exist");
    require(zone.earliest(local) <= at && at <= zone.latest(local), "shown at another time");
    const LocalTime before = zone.second_before(local);
    const LocalTime after = zone.second_after(local);
    require(before < local && exists(zone, before), "no second before");
    require(after > local && exists(zone, after), "no second after");
    require(before == local - Seconds(1) || !exists(zone, local - Seconds(1)),
            "not the second before");
    require(after == local + Seconds(1) || !exists(zone, local + Seconds(1)),
            "not the second after");
    const Instant down = zone.align_down(at);
    const Instant up = zone.align_up(at);
    require(down <= at && at <= up, "aligned in the wrong direction");
    require(zone.align_down(down) == down && zone.align_up(up) == up, "aligned twice");
    require((down == at) == (up == at), "aligned on one side alone");
}

void check_span(const Zone& zone, const Window& window) {
    const LocalPeriod span = zone.span(window);
    require(exists(zone, span.begin) && exists(zone, span.end), "a bound does not exist");
    LocalTime first = span.end;
    LocalTime last = span.begin;
    bool repeated = false;
    // Whole offsets are multiples of a quarter of an hour since 1972: no second is missed that
    // could be an extreme, if the window's ends are looked at, too.
    const Seconds step(window.width() > Seconds(7200) ? 900 : 60);
    const auto look = [&](Instant at) {
        const LocalTime local = zone.to_local(at);
        require(span.begin <= local && local < span.end, "the span does not hold the window");
        first = std::min(first, local);
        last = std::max(last, local);
        repeated = repeated || occurs_twice(zone, local);
    };
    look(window.begin);
    for (Instant at = std::chrono::ceil<std::chrono::minutes>(window.begin); at < window.end;
         at += step) {
        look(at);
        look(std::max(window.begin, at - Seconds(1)));
    }
    look(window.end - Seconds(1));
    if (step == Seconds(60)) {
        require(span.begin == first, "the span begins too early");
        require(span.end == zone.second_after(last), "the span ends too late");
        require(repeated == zone.touches_repeated_hour(window), "the repeated hour is not seen");
    } else {
        require(!repeated || zone.touches_repeated_hour(window), "the repeated hour is not seen");
    }
}

void check_zone(Numbers& numbers) {
    const Zone& where = zone(numbers.below(256, 1));
    constexpr std::uint64_t first = 63'072'000;     // 1972
    constexpr std::uint64_t bound = 2'145'916'800;  // 2038
    const Instant begin(Seconds(first + numbers.below(bound - first, 5)));
    check_instant(where, begin);
    // Where clocks change, and just beside it.
    const Instant end = begin + Seconds(1 + numbers.below(std::uint64_t{1} << 19, 3));
    check_instant(where, end);
    check_span(where, {begin, end});
    check_span(where, {where.align_down(begin), where.align_up(end)});
}

using Bits = std::bitset<96>;

// The set's windows as bits, and what holds of them by themselves.
Bits bits_of(const WindowSet& set) {
    Bits bits;
    std::optional<Instant> last;
    for (const Window& window : set.windows()) {
        require(!window.empty(), "an empty window in a set");
        require(!last || *last < window.begin, "windows touch, or are out of order");
        last = window.end;
        for (Instant at = window.begin; at < window.end; at += Seconds(1)) {
            bits.set(static_cast<std::size_t>(at.time_since_epoch().count()));
        }
    }
    require(set.width() == Seconds(static_cast<std::int64_t>(bits.count())), "another width");
    return bits;
}

void check_sets(Numbers& numbers) {
    WindowSet set;
    WindowSet other;
    Bits expected;
    Bits expected_other;
    while (!numbers.empty()) {
        const std::uint64_t what = numbers.below(6, 1);
        const std::uint64_t begin = numbers.below(64, 1);
        const std::uint64_t width = numbers.below(32, 1);
        const Window window{Instant(Seconds(begin)), Instant(Seconds(begin + width))};
        Bits bits;
        for (std::uint64_t at = begin; at < begin + width; ++at) {
            bits.set(at);
        }
        if (what == 0) {
            set.add(window);
            expected |= bits;
        } else if (what == 1) {
            set.subtract(window);
            expected &= ~bits;
        } else if (what == 2) {
            other.add(window);
            expected_other |= bits;
        } else if (what == 3) {
            set.subtract(other);
            expected &= ~expected_other;
        } else if (what == 4) {
            set = set.within(window);
            expected &= bits;
        } else {
            require(set.contains(window) == ((expected & bits) == bits),
                    "contains, or not, wrongly");
        }
        require(bits_of(set) == expected && bits_of(other) == expected_other, "another set");
    }
}

}  // namespace

void spans(std::string_view input) {
    Numbers numbers(input);
    check_zone(numbers);
    check_sets(numbers);
}

}  // namespace mirror::fuzz
