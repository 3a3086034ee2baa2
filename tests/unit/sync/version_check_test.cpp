// A file that was made with version 3 of the API, and version 4.
#include <string>

#include <doctest/doctest.h>

#include "core/sync/errors.hpp"
#include "tests/unit/sync/session_fixture.hpp"

using namespace mirror;
using namespace mirror::sync;
using namespace mirror::tests;
using namespace std::chrono_literals;

TEST_CASE("a file goes on with another version that shows the same rows") {
    World world(noon);
    fill(world.model, noon - 24h * 30, noon - 10s, 2'000, 1);
    CHECK(world.sync().whole());
    world.api.api_version = 4;
    world.clock.advance(10min);
    const std::size_t said = world.log.infos.size();
    CHECK(world.sync().whole());
    CHECK_EXACT(world);
    REQUIRE(world.log.infos.size() > said);
    CHECK(world.log.infos.at(said) ==
          "the API is read in version 4 from now on, and in version 3 before; a sample of 100 "
          "impressions is the same");
    // Once is enough.
    const std::uint64_t pages = world.api.pages;
    world.clock.advance(10min);
    CHECK(world.sync().whole());
    CHECK(world.api.pages - pages < 6);
    CHECK(world.store.facts["api_version"] == "4");
}

TEST_CASE("a file does not go on with another version that shows other rows") {
    World world(noon);
    fill(world.model, noon - 24h * 30, noon - 10s, 2'000, 1);
    CHECK(world.sync().whole());
    world.api.api_version = 4;
    world.api.distort = [](const copernica::PageQuery&, copernica::Page& page) {
        for (Row& row : page.rows) {
            row.id += 1'000'000'000;
        }
    };
    const auto rows = world.store.rows;
    CHECK_THROWS_WITH_AS(world.sync(),
                         doctest::Contains("version 4 of the API does not show what the file has "
                                           "from version 3: of the newest 100 impressions in the "
                                           "file, 100 are not there"),
                         OtherRows);
    CHECK(world.store.rows == rows);
    world.api.distort = {};
    CHECK(world.sync().whole());
    CHECK_EXACT(world);
}

TEST_CASE("a new file asks for no comparison") {
    World world(noon);
    world.api.api_version = 4;
    CHECK(world.sync().whole());
    CHECK(world.store.facts["api_version"] == "4");
}
