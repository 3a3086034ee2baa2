// The few records that reading by time passes by are found without reading the window again.
#include "core/plan/missing_search.hpp"

#include <functional>
#include <optional>
#include <set>
#include <vector>

#include <doctest/doctest.h>

#include "core/plan/window_reader.hpp"
#include "tests/support/times.hpp"
#include "tests/unit/sync/model.hpp"

using namespace mirror;
using namespace mirror::plan;
using namespace mirror::tests;

namespace {

using Verdict = WindowReader::Verdict;

const Instant now = utc("2040-01-01 00:00:00");
const Window day{utc("2026-06-01 00:00:00"), utc("2026-06-02 00:00:00")};

// A day with a row each eight seconds, listed by ID, as the rows were logged.
Model account() {
    Model model{Zone("Europe/Amsterdam")};
    model.order = Order::id;
    for (Instant at = day.begin + Seconds(1); at < day.end; at += Seconds(8)) {
        model.add(at);
    }
    return model;
}

struct Reading {
    Verdict verdict = Verdict::read_on;
    int requests = 0;
    int searches = 0;
    std::size_t records = 0;
};

Reading read(Model& model, const std::function<void(int)>& before_search = nullptr) {
    WindowReader::Request request;
    request.window = day;
    request.page_size = 500;
    WindowReader reader(model.zone, request, {});
    Reading reading;
    while (reading.verdict == Verdict::read_on) {
        REQUIRE(++reading.requests < 100);
        if (reader.searching() && before_search) {
            before_search(reading.searches);
        }
        reading.searches += reader.searching() ? 1 : 0;
        reading.verdict = reader.accept(model.answer(reader.query(), now));
    }
    if (reading.verdict == Verdict::whole) {
        reading.records = reader.take_records().size();
    }
    return reading;
}

// Logged after all others of the day.
void add_late(Model& model, int second) {
    model.add(day.begin + Seconds(second));
}

}  // namespace

TEST_CASE("missing: nothing is searched for where nothing is missing") {
    Model model = account();
    const Reading reading = read(model);
    CHECK(reading.verdict == Verdict::whole);
    CHECK(reading.searches == 1);  // the count at the end
    CHECK(reading.requests <= 24);
}

TEST_CASE("missing: a row that came late is found in a few requests, wherever it is") {
    for (const int second : {3, 1234, 43'211, 70'004, 86'300}) {
        for (const bool begin_inclusive : {false, true}) {
            CAPTURE(second);
            Model model = account();
            model.begin_inclusive = begin_inclusive;
            add_late(model, second);
            const Reading reading = read(model);
            CHECK(reading.verdict == Verdict::whole);
            CHECK(reading.records == model.rows().size());
            CHECK(reading.searches <= 7);
            CHECK(reading.requests <= 31);
        }
    }
}

TEST_CASE("missing: two are found apart; if many are missing, the window is read again") {
    Model model = account();
    add_late(model, 10'004);
    add_late(model, 60'004);
    const Reading two = read(model);
    CHECK(two.verdict == Verdict::whole);
    CHECK(two.records == model.rows().size());
    CHECK(two.searches > 6);
    for (int i = 0; i < 40; ++i) {
        add_late(model, 1000 + 2000 * i);
    }
    const Reading many = read(model);
    CHECK(many.verdict == Verdict::not_whole);
    CHECK(many.searches == 0);
}

TEST_CASE("missing: a row that comes during the search proves nothing") {
    // At each step of the search, into each part of the day.
    for (int step = 0; step < 8; ++step) {
        for (int second = 500; second < 86'400; second += 4000) {
            CAPTURE(step);
            CAPTURE(second);
            Model model = account();
            add_late(model, 43'211);
            const Reading reading = read(model, [&](int search) {
                if (search == step) {
                    add_late(model, second);
                }
            });
            if (reading.verdict == Verdict::whole) {
                // It came after the last count.
                CHECK(reading.records >= model.rows().size() - (step < 6 ? 0 : 1));
                CHECK(step >= reading.searches);
            }
        }
    }
}

TEST_CASE("missing: counts that do not add up end the search") {
    copernica::PageQuery whole;
    whole.begintime = local("2026-06-01 00:00:00");
    whole.endtime = local("2026-06-02 00:00:00");
    whole.limit = 100;
    std::vector<LocalTime> times;
    for (int i = 0; i < 1200; ++i) {
        times.push_back(whole.begintime + Seconds(1 + i * 60));
    }
    const Zone zone("UTC");
    const auto search = [&] { return MissingSearch::plan(whole, times, 1, zone); };
    REQUIRE(search());
    // Sixteen pieces of 75: a half of 600 known rows is counted first.
    CHECK(search()->query().limit == 1);
    CHECK(search()->accept(599, 0) == MissingSearch::Verdict::lost);
    CHECK(search()->accept(602, 0) == MissingSearch::Verdict::lost);
    CHECK(search()->accept(601, 1) == MissingSearch::Verdict::lost);
    CHECK(search()->accept(600, 0) == MissingSearch::Verdict::ask_on);
    // To the piece, and then to the count at the end.
    auto found = search();
    for (const std::uint64_t known : {600U, 300U, 150U, 75U}) {
        CHECK(found->accept(known + 1, 0) == MissingSearch::Verdict::ask_on);
    }
    CHECK(found->query().limit == 100);
    auto other = found;
    CHECK(other->accept(76, 0) == MissingSearch::Verdict::lost);
    CHECK(found->accept(76, 1) == MissingSearch::Verdict::ask_on);
    CHECK(found->query().begintime == whole.begintime);
    CHECK(found->query().endtime == whole.endtime);
    other = found;
    CHECK(other->accept(1202, 0) == MissingSearch::Verdict::lost);
    CHECK(found->accept(1201, 0) == MissingSearch::Verdict::found);
    // No search begins without a second to cut at, or if reading again costs no more.
    CHECK_FALSE(MissingSearch::plan(whole, std::vector(1200, times[0]), 1, zone));
    CHECK_FALSE(MissingSearch::plan(whole, {times.begin(), times.begin() + 300}, 1, zone));
    CHECK_FALSE(MissingSearch::plan(whole, times, 4, zone));
}
