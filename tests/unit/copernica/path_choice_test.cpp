#include "core/copernica/path_choice.hpp"

#include <doctest/doctest.h>

using namespace mirror;
using namespace mirror::copernica;

TEST_CASE("paths: by the version first, then as the last stream was found") {
    const Stream& clicks = *find_stream("clicks");
    const Stream& mailings = *find_stream("mailings");
    PathChoice version_3(3);
    CHECK(version_3.first(clicks) == PathFamily::ms);
    PathChoice choice(4);
    CHECK(choice.first(clicks) == PathFamily::draganddrop);
    CHECK(choice.known(clicks) == std::nullopt);
    choice.answered(clicks, PathFamily::ms);
    CHECK(choice.first(clicks) == PathFamily::ms);
    CHECK(choice.known(clicks) == PathFamily::ms);
    CHECK(choice.first(mailings) == PathFamily::ms);
    CHECK(choice.known(mailings) == std::nullopt);
    choice.answered(mailings, PathFamily::draganddrop);
    CHECK(choice.first(clicks) == PathFamily::ms);
    CHECK(choice.first(mailings) == PathFamily::draganddrop);
}

TEST_CASE("paths: their names") {
    const Stream& mailings = *find_stream("mailings");
    CHECK(path_of(mailings, PathFamily::ms) == "ms/emailings");
    CHECK(path_of(mailings, PathFamily::draganddrop) == "draganddrop/emailings");
    for (const PathFamily family : {PathFamily::ms, PathFamily::draganddrop}) {
        CHECK(path_family(name_of(family)) == family);
        CHECK(other(other(family)) == family);
        CHECK(other(family) != family);
    }
    for (const char* const name : {"", "MS", "publisher", "ms/"}) {
        CHECK(path_family(name) == std::nullopt);
    }
}
