#include "tests/unit/sync/session_fixture.hpp"

#include <random>

namespace mirror::tests {

void choose_behaviour(Model& model, unsigned behaviour) {
    model.order = all_orders[behaviour % 4];
    model.begin_inclusive = behaviour / 4 % 2 == 1;
    model.end_inclusive = behaviour / 8 % 2 == 1;
    model.bounds = static_cast<Bounds>(behaviour / 16 % 3);
}

void fill(Model& model, Instant begin, Instant end, int rows, unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_int_distribution<std::int64_t> second(0, (end - begin).count() - 1);
    for (int i = 0; i < rows * 2 / 3; ++i) {
        model.add(begin + Seconds(second(random)));
    }
    for (int burst = 0; burst < 5; ++burst) {
        const Instant at = begin + Seconds(second(random));
        for (int i = 0; i < rows / 15; ++i) {
            model.add(at + Seconds(i % 3));
        }
    }
}

void fail_within(FakeApi& api, Zone zone, Window bad, copernica::ErrorKind kind, int status) {
    api.on_page = [=](const copernica::PageQuery& query) {
        if (query.begintime < zone.to_local(bad.end) - Seconds(1) &&
            query.endtime > zone.to_local(bad.begin)) {
            throw copernica::ApiError(kind, "the server does not like this period", status);
        }
    };
}

}  // namespace mirror::tests
