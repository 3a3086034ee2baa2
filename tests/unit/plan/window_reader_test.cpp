#include "core/plan/window_reader.hpp"

#include <algorithm>
#include <functional>
#include <random>
#include <set>
#include <utility>

#include <doctest/doctest.h>

#include "core/copernica/page_check.hpp"
#include "tests/support/times.hpp"
#include "tests/unit/sync/model.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace mirror::plan;
using namespace mirror::tests;

namespace {

using Verdict = WindowReader::Verdict;

struct Reading {
    Verdict verdict = Verdict::read_on;
    int requests = 0;
    Records records;
};

struct Setup {
    explicit Setup(Model& api_model) : model(api_model) {}
    Model& model;
    Window window;
    std::uint32_t page_size = 1000;
    Instant now = utc("2040-01-01 00:00:00");
    std::function<void(int)> before_request;  // with its number, from 0
};

Reading read(const Setup& setup) {
    WindowReader::Request request;
    request.window = setup.window;
    request.page_size = setup.page_size;
    WindowReader reader(setup.model.zone, request);
    Reading reading;
    for (reading.verdict = Verdict::read_on; reading.verdict == Verdict::read_on;) {
        REQUIRE(reading.requests < 500);
        if (setup.before_request) {
            setup.before_request(reading.requests);
        }
        const copernica::PageQuery query = reader.query();
        Page page = setup.model.answer(query, setup.now);
        const auto why = why_invalid(query, page, reader.slack());
        REQUIRE_MESSAGE(!why, why.value_or(""));
        ++reading.requests;
        reading.verdict = reader.accept(std::move(page));
    }
    if (reading.verdict == Verdict::whole) {
        reading.records = reader.take_records();
    }
    return reading;
}

std::multiset<std::int64_t> ids(const Records& records) {
    std::multiset<std::int64_t> found;
    PackedRows::Reader reader = records.rows.read();
    while (const mirror::Row* const row = reader.next()) {
        found.insert(row->id);
    }
    for (std::size_t i = 0; i < records.rejects.size(); ++i) {
        found.insert(0);
    }
    return found;
}

std::multiset<std::int64_t> ids_in(const Model& model, const Window& window, Instant now) {
    WindowReader::Request request;
    request.window = window;
    const WindowReader reader(model.zone, request);
    std::multiset<std::int64_t> found;
    for (const std::size_t place : model.matching(reader.query(), now)) {
        found.insert(model.rows()[place].id);
    }
    return found;
}

bool holds(const std::multiset<std::int64_t>& all, const std::multiset<std::int64_t>& part) {
    return std::includes(all.begin(), all.end(), part.begin(), part.end());
}

// The API's freedom, drawn from a seed: order, bounds, cap.
void choose_behaviour(Model& model, unsigned seed) {
    model.order = all_orders[seed % 4];
    model.begin_inclusive = (seed / 4) % 2 == 1;
    model.end_inclusive = (seed / 8) % 2 == 1;
    model.cap = (seed / 16) % 2 == 1 ? 500 : 1000;
    model.bounds = static_cast<Bounds>(seed / 32 % 3);
}

// Some quiet seconds, some with bursts.
void fill(Model& model, const Window& window, std::size_t rows, std::mt19937& random) {
    std::uniform_int_distribution<std::int64_t> second(-2, window.width().count() + 1);
    std::uniform_int_distribution<std::size_t> burst(1, rows / 3 + 1);
    std::bernoulli_distribution bursts(0.02);
    for (std::size_t made = 0; made < rows;) {
        const Instant at = window.begin + Seconds(second(random));
        const std::size_t here = bursts(random) ? std::min(burst(random), rows - made) : 1;
        for (std::size_t i = 0; i < here; ++i, ++made) {
            model.add(at);
        }
    }
}

}  // namespace

TEST_CASE("a window that does not change is read whole at once") {
    const Zone zone("Europe/Amsterdam");
    for (unsigned seed = 0; seed < 384; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        Model model(zone);
        choose_behaviour(model, seed);
        Setup setup(model);
        // In turn: an hour in June, the autumn night, the spring night.
        const char* const begins[] = {"2026-06-01 10:00:00", "2026-10-24 23:00:00",
                                      "2027-03-28 00:30:00"};
        setup.window.begin = utc(begins[seed / 96 % 3]);
        setup.window.end = setup.window.begin + std::chrono::hours(seed / 96 % 3 == 1 ? 4 : 1);
        setup.page_size = seed % 5 == 0 ? 100 : 1000;
        fill(model, setup.window, setup.page_size * (seed % 7) / 2, random);
        const bool nameless = seed % 6 == 0;
        for (int i = 0; nameless && i < 3; ++i) {
            model.add(setup.window.begin + Seconds(random() % 3600), true);
        }
        const Reading reading = read(setup);
        REQUIRE(reading.verdict == Verdict::whole);
        REQUIRE(ids(reading.records) == ids_in(model, setup.window, setup.now));
    }
}

TEST_CASE("7,300 rows in one second are read whole in every order") {
    for (unsigned behaviour = 0; behaviour < 96; ++behaviour) {
        CAPTURE(behaviour);
        Model model(Zone("Europe/Amsterdam"));
        choose_behaviour(model, behaviour);
        Setup setup(model);
        setup.window = {utc("2026-06-01 10:00:00"), utc("2026-06-01 10:00:01")};
        for (int i = 0; i < 7300; ++i) {
            model.add(setup.window.begin);
        }
        for (const int neighbour : {-1, 1}) {
            model.add(setup.window.begin + Seconds(neighbour));
        }
        const Reading reading = read(setup);
        REQUIRE(reading.verdict == Verdict::whole);
        CHECK(reading.requests <= (model.cap == 500 ? 16 : 8));
        CHECK(ids(reading.records) == ids_in(model, setup.window, setup.now));
    }
}

TEST_CASE("pages are full where rows come in the order of time") {
    for (const Order order : {Order::time, Order::time_descending}) {
        Model model(Zone("Europe/Amsterdam"));
        model.order = order;
        Setup setup(model);
        setup.window = {utc("2026-06-01 10:00:00"), utc("2026-06-01 16:00:00")};
        for (int i = 0; i < 20'000; ++i) {
            model.add(setup.window.begin + Seconds(i));
        }
        const Reading reading = read(setup);
        CHECK(reading.verdict == Verdict::whole);
        CHECK(reading.requests <= 21);
    }
}

TEST_CASE("a count above the limit is told before more is read") {
    Model model(Zone("UTC"));
    WindowReader::Request request;
    request.window = {utc("2026-06-01 10:00:00"), utc("2026-06-01 11:00:00")};
    request.page_size = 10;
    request.most_records = 20;
    for (int i = 0; i < 21; ++i) {
        model.add(request.window.begin + Seconds(i * 60));
    }
    const Zone zone("UTC");
    WindowReader reader(zone, request);
    CHECK(reader.query().total);
    CHECK(reader.accept(model.answer(reader.query(), utc("2027-01-01 00:00:00"))) ==
          Verdict::too_many);
    CHECK(reader.total() == 21);
}

TEST_CASE("a window whose end moves is whole with what it holds then") {
    const Zone zone("Europe/Amsterdam");
    unsigned moved = 0;
    unsigned later = 0;
    for (unsigned seed = 0; seed < 2000; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        Model model(zone);
        choose_behaviour(model, seed);
        const bool night =
            seed % 7 == 0;  // the hour that comes twice lies after the window, or in it
        WindowReader::Request request;
        request.window.begin = utc(night ? "2026-10-24 21:00:00" : "2026-06-01 10:00:00");
        request.window.end = request.window.begin + std::chrono::hours(night ? 2 + seed % 3 : 4);
        request.page_size = 50;
        const Window around{request.window.begin, request.window.end + std::chrono::hours(4)};
        fill(model, around, 100 + random() % 400, random);
        // A few have the IDs of rows that are logged much later.
        for (int late = static_cast<int>(random() % 3); late > 0; --late) {
            model.add_as(1'000'000 + late, around.begin + Seconds(random() % 10'000));
        }
        WindowReader reader(zone, request);
        Window window = request.window;
        const Instant now = utc("2040-01-01 00:00:00");
        int requests = 0;
        Verdict verdict = Verdict::read_on;
        while (verdict == Verdict::read_on) {
            REQUIRE(++requests < 200);
            const copernica::PageQuery query = reader.query();
            Page page = model.answer(query, now);
            REQUIRE_FALSE(why_invalid(query, page, reader.slack()));
            verdict = reader.accept(std::move(page));
            if (verdict == Verdict::read_on && random() % 3 == 0) {
                const std::uint64_t rows = reader.received() + 1 + random() % 300;
                if (const auto other = reader.move_end(rows, around.end)) {
                    REQUIRE(other->begin == window.begin);
                    REQUIRE(other->end != window.end);
                    REQUIRE(other->end <= around.end);
                    later += other->end > window.end ? 1 : 0;
                    ++moved;
                    window = *other;
                }
            }
        }
        if (verdict == Verdict::whole) {
            REQUIRE(ids(reader.take_records()) == ids_in(model, window, now));
        }
        if (model.order == Order::time && !night) {
            REQUIRE(verdict == Verdict::whole);
        }
    }
    CHECK(moved > 400);
    CHECK(later > 200);
}

TEST_CASE("a window whose end moves lacks no row that was there all the time") {
    const Zone zone("Europe/Amsterdam");
    const Instant begin = utc("2026-06-01 10:00:00");
    const Instant now = utc("2040-01-01 00:00:00");
    for (std::size_t gone = 0; gone < 100; ++gone) {
        CAPTURE(gone);
        Model model(zone);
        for (int i = 0; i < 600; ++i) {
            model.add(begin + Seconds(10 * i));
        }
        WindowReader::Request request;
        request.window = {begin, begin + Seconds(3000)};
        request.page_size = 50;
        WindowReader reader(zone, request);
        REQUIRE(reader.accept(model.answer(reader.query(), now)) == Verdict::read_on);
        // A row goes, and the count that follows says so: what was known is one too many then, and
        // offsets are one too large.
        model.erase(gone);
        const std::uint64_t rows = gone % 2 == 0 ? 150 : 450;
        const auto window = reader.move_end(rows, begin + Seconds(6000));
        REQUIRE(window);
        Verdict verdict = Verdict::read_on;
        while (verdict == Verdict::read_on) {
            verdict = reader.accept(model.answer(reader.query(), now));
        }
        CHECK((verdict == Verdict::whole) == (gone >= 50));
        if (verdict == Verdict::whole) {
            CHECK(ids(reader.take_records()) == ids_in(model, *window, now));
        }
    }
}

TEST_CASE("a window's end moves to where the rows lie that it should hold") {
    const Zone zone("Europe/Amsterdam");
    Model model(zone);
    const Instant begin = utc("2026-06-01 10:00:00");
    for (int i = 0; i < 40'000; ++i) {
        model.add(begin + Seconds(i));
    }
    for (const std::int64_t rows : {1500, 2400, 7000}) {
        CAPTURE(rows);
        WindowReader reader(zone, {.window = {begin, begin + Seconds(3000)}});
        REQUIRE(reader.accept(model.answer(reader.query(), utc("2027-01-01 00:00:00"))) ==
                Verdict::read_on);
        const auto window =
            reader.move_end(static_cast<std::uint64_t>(rows), begin + Seconds(40'000));
        REQUIRE(window);
        const std::int64_t seconds = window->width().count();
        CHECK(seconds >= rows - 2);
        CHECK(seconds <= rows + 2);
    }
    WindowReader reader(zone, {.window = {begin, begin + Seconds(3000)}});
    REQUIRE(reader.accept(model.answer(reader.query(), utc("2027-01-01 00:00:00"))) ==
            Verdict::read_on);
    // Not further than it may, not to where it ends, and not to what is known.
    CHECK(reader.move_end(7000, begin + Seconds(4000)) == Window{begin, begin + Seconds(4000)});
    CHECK_FALSE(reader.move_end(8000, begin + Seconds(4000)));
    CHECK_FALSE(reader.move_end(500, begin + Seconds(4000)));
}

TEST_CASE("a window that ends early is whole with nearly all that was read of it") {
    const Zone zone("Europe/Amsterdam");
    const Instant begin = utc("2026-06-01 10:00:00");
    const Instant now = utc("2040-01-01 00:00:00");
    for (int pages = 1; pages <= 4; ++pages) {
        CAPTURE(pages);
        Model model(zone);
        model.begin_inclusive = true;
        model.end_inclusive = true;
        // Ten rows in each second with any.
        for (int i = 0; i < 600; ++i) {
            model.add(begin + Seconds(5 * (i / 10)));
        }
        WindowReader::Request request;
        request.window = {begin, begin + Seconds(300)};
        request.page_size = 55;
        WindowReader reader(zone, request);
        for (int page = 0; page < pages; ++page) {
            REQUIRE(reader.accept(model.answer(reader.query(), now)) == Verdict::read_on);
        }
        const std::uint64_t read = reader.received();
        const auto window = reader.narrow_to_known();
        REQUIRE(window);
        CHECK(window->begin == begin);
        // One request counts what is left of it and shows its end.
        REQUIRE(reader.accept(model.answer(reader.query(), now)) == Verdict::whole);
        const std::multiset<std::int64_t> kept = ids(reader.take_records());
        CHECK(kept == ids_in(model, *window, now));
        CHECK(kept.size() + 10 >= read);
    }
}

TEST_CASE("the end of a window moves if few of its rows are late, not in a list in no order") {
    const Zone zone("Europe/Amsterdam");
    const Instant begin = utc("2026-06-01 10:00:00");
    const auto moves = [&](Order order, int late_every) {
        Model model(zone);
        model.order = order;
        for (int i = 0; i < 600; ++i) {
            model.add(begin + Seconds(i % late_every == 1 ? i / 2 : i));
        }
        WindowReader::Request request;
        request.window = {begin, begin + Seconds(600)};
        request.page_size = 100;
        WindowReader reader(zone, request);
        REQUIRE(reader.accept(model.answer(reader.query(), utc("2040-01-01 00:00:00"))) ==
                Verdict::read_on);
        return reader.move_end(300, request.window.end).has_value();
    };
    CHECK(moves(Order::id, 1000));
    CHECK(moves(Order::id, 15));
    CHECK_FALSE(moves(Order::id, 4));
    CHECK(moves(Order::time, 4));
    CHECK_FALSE(moves(Order::time_descending, 1000));
    CHECK_FALSE(moves(Order::hash, 1000));
}

TEST_CASE("a row that is logged meanwhile does not stand in for one that was passed by") {
    const Zone zone("Europe/Amsterdam");
    const Instant begin = utc("2026-06-01 10:00:00");
    const auto verdict = [&](int logged_before_request) {
        Model model(zone);
        model.order = Order::id;
        for (int i = 0; i < 950; ++i) {
            model.add(begin + Seconds(2) * (i == 700 ? 450 : i));  // one came late
        }
        Setup setup(model);
        setup.window = {begin, begin + Seconds(2000)};
        setup.page_size = 100;
        setup.before_request = [&](int request) {
            if (request == logged_before_request) {
                model.add(begin + Seconds(1881));
            }
        };
        const Reading reading = read(setup);
        if (reading.verdict == Verdict::whole) {
            CHECK(holds(ids(reading.records), ids_in(model, setup.window, setup.now)));
        }
        return reading.verdict;
    };
    CHECK(verdict(-1) == Verdict::whole);
    int whole = 0;
    for (int request = 1; request < 30; ++request) {
        CAPTURE(request);
        whole += verdict(request) == Verdict::whole ? 1 : 0;
    }
    CHECK(whole > 0);  // logged behind the end
    CHECK(whole < 29);
}

TEST_CASE("a full page that says itself that it is the last one is the last one") {
    Model model(Zone("Europe/Amsterdam"));
    model.order = Order::id;
    Setup setup(model);
    setup.window = {utc("2026-06-01 10:00:00"), utc("2026-06-01 10:50:00")};
    for (int i = 0; i < 300; ++i) {
        model.add(setup.window.begin + Seconds(i * 10));
    }
    WindowReader::Request request;
    request.window = setup.window;
    request.page_size = 100;
    WindowReader reader(model.zone, request);
    REQUIRE(reader.accept(model.answer(reader.query(), setup.now)) == Verdict::read_on);
    // The window's end moves to where its second page, which begins with the last known row, ends.
    REQUIRE(reader.move_end(199, setup.window.end).has_value());
    Verdict verdict = Verdict::read_on;
    int requests = 1;
    for (; verdict == Verdict::read_on; ++requests) {
        REQUIRE(requests < 10);
        verdict = reader.accept(model.answer(reader.query(), setup.now));
    }
    CHECK(verdict == Verdict::whole);
    CHECK(requests == 2);
}

TEST_CASE("an empty window is whole with nothing") {
    Model model(Zone("UTC"));
    Setup setup(model);
    setup.window = {utc("2026-06-01 10:00:00"), utc("2026-06-01 11:00:00")};
    const Reading reading = read(setup);
    CHECK(reading.verdict == Verdict::whole);
    CHECK(reading.requests == 1);
    CHECK(ids(reading.records).empty());
}

TEST_CASE("what is called whole lacks no row that was there all the time") {
    const Zone zone("Europe/Amsterdam");
    Window window;
    SUBCASE("on any day") {
        window = {utc("2026-06-01 10:00:00"), utc("2026-06-01 10:00:20")};
    }
    SUBCASE("in the night with an hour that comes twice") {
        window = {utc("2026-10-24 23:00:00"), utc("2026-10-25 03:00:00")};
    }
    int whole = 0;
    for (unsigned seed = 0; seed < 4000; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        Model model(zone);
        choose_behaviour(model, seed % 16);
        Setup setup(model);
        setup.window = window;
        setup.page_size = 3 + seed / 16 % 5;
        fill(model, setup.window, 4 + random() % 20, random);
        const bool inserts = seed / 160 % 3 != 1;
        const bool deletes = seed / 160 % 3 != 0;
        std::multiset<std::int64_t> always;
        std::multiset<std::int64_t> ever;
        const auto width = static_cast<std::uint64_t>(window.width().count());
        std::multiset<std::int64_t> counted;
        setup.before_request = [&](int request) {
            for (auto change = random() % 3; request > 0 && change > 0; --change) {
                if (inserts) {
                    model.add(window.begin + Seconds(random() % width));
                }
                if (deletes && !model.rows().empty()) {
                    model.erase(random() % model.rows().size());
                }
            }
            const auto now = ids_in(model, setup.window, setup.now);
            if (request == 0) {
                always = ever = counted = now;
            }
            std::multiset<std::int64_t> still;
            std::set_intersection(always.begin(), always.end(), now.begin(), now.end(),
                                  std::inserter(still, still.end()));
            always = still;
            std::multiset<std::int64_t> more;
            std::set_union(ever.begin(), ever.end(), now.begin(), now.end(),
                           std::inserter(more, more.end()));
            ever = more;
        };
        const Reading reading = read(setup);
        if (reading.verdict != Verdict::whole) {
            continue;
        }
        ++whole;
        const auto found = ids(reading.records);
        CHECK(holds(found, always));
        CHECK(holds(ever, found));
        if (!(inserts && deletes)) {
            CHECK(found == counted);
        }
    }
    CHECK(whole > 200);
}
