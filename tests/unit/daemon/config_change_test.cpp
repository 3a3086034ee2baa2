#include "daemon/config/config_change.hpp"

#include <algorithm>

#include <doctest/doctest.h>

using namespace mirror;
using namespace mirror::daemon;
using Names = std::vector<std::string>;

TEST_CASE("config change: every key is compared") {
    Names compared = compared_keys();
    std::sort(compared.begin(), compared.end());
    CHECK(compared == config_keys());
}

TEST_CASE("config change: what takes effect, and what needs a restart") {
    const Config before;
    CHECK(compare(before, before).takes_effect.empty());
    CHECK(compare(before, before).needs_restart.empty());

    Config after;
    after.mirror.poll_interval = Seconds(5);
    after.mirror.recheck_ages = {};
    after.log.level = "debug";
    after.log.format = "json";
    after.api.url = "https://example.com/v3";
    after.metrics.listen = ListenAddress{};
    const ConfigChange change = compare(before, after);
    CHECK(change.takes_effect == Names{"mirror.poll_interval", "mirror.recheck_ages", "log.level"});
    CHECK(change.needs_restart == Names{"api.url", "metrics.listen", "log.format"});

    Config in_force = before;
    apply(in_force, after);
    CHECK(in_force.mirror.poll_interval == Seconds(5));
    CHECK(in_force.log.level == "debug");
    CHECK(in_force.log.format == "text");
    CHECK(in_force.api.url == before.api.url);
    // It is reported again as long as it is not in force.
    CHECK(compare(in_force, after).takes_effect.empty());
    CHECK(compare(in_force, after).needs_restart == change.needs_restart);
}
