#include "core/plan/page_size.hpp"

#include <doctest/doctest.h>

using namespace mirror::plan;

namespace {

// Full pages of the size at hand; a server delivers at most `limit` records. Returns how many pages
// failed.
int serve(PageSize& size, int pages, std::uint32_t limit) {
    int failed = 0;
    for (int i = 0; i < pages; ++i) {
        const std::uint32_t asked = size.now();
        if (asked <= limit) {
            size.served(asked, asked);
        } else {
            CHECK(size.is_trial(asked));
            size.trial_failed(asked);
            ++failed;
        }
    }
    return failed;
}

}  // namespace

TEST_CASE("page size: full size as long as nothing is known against it") {
    PageSize size(1000);
    CHECK(serve(size, 1000, 1000) == 0);
    CHECK(size.now() == 1000);
    CHECK_FALSE(size.known().has_value());
    CHECK_FALSE(size.is_trial(1000));
}

TEST_CASE("page size: smaller by quarters, and never too small") {
    CHECK(PageSize::smaller_than(1000) == 250);
    CHECK(PageSize::smaller_than(250) == 62);
    CHECK(PageSize::smaller_than(62) == PageSize::smallest);
    CHECK_FALSE(PageSize::smaller_than(PageSize::smallest).has_value());
    CHECK_FALSE(PageSize::smaller_than(1).has_value());
}

TEST_CASE("page size: what passes is found, with few failures") {
    PageSize size(1000);
    size.learn(1000, 250);
    CHECK(size.now() == 250);
    const int failed = serve(size, 2000, 300);
    CHECK(size.known()->passes >= 265);
    CHECK(size.known()->passes <= 300);
    CHECK(failed <= 10);
}

TEST_CASE("page size: back to full size when the server has recovered") {
    PageSize size(1000);
    size.learn(1000, 250);
    serve(size, 500, 300);
    CHECK(serve(size, 2000, 1000) == 0);
    CHECK(size.now() == 1000);
    CHECK_FALSE(size.known().has_value());
}

TEST_CASE("page size: what is not full proves nothing") {
    PageSize size(1000);
    size.learn(1000, 250);
    for (int i = 0; i < 100; ++i) {
        CHECK_FALSE(size.served(250, 249));
    }
    CHECK(size.now() == 250);
}

TEST_CASE("page size: what another process has learned") {
    PageSize size(1000);
    size.remember({250, 300});
    CHECK(size.now() == 250);
    CHECK(size.known() == PageSize::Known{250, 300});
    for (const PageSize::Known& nonsense :
         {PageSize::Known{0, 300}, PageSize::Known{1000, 2000}, PageSize::Known{300, 300}}) {
        PageSize other(1000);
        other.remember(nonsense);
        CHECK(other.now() == 1000);
    }
    PageSize narrow(100);  // the configuration asks for less anyway
    narrow.remember({250, 300});
    CHECK(narrow.now() == 100);
}

TEST_CASE("page size: a page has failed because of its size once smaller ones brought all of it") {
    FailedPage failed(1000);
    CHECK(failed.size() == 1000);
    CHECK_FALSE(failed.replaced_by(250, false));
    CHECK_FALSE(failed.replaced_by(250, false));
    SUBCASE("as many records") {
        CHECK_FALSE(failed.replaced_by(499, false));
        CHECK(failed.replaced_by(1, false));
    }
    SUBCASE("more than that") {
        CHECK(failed.replaced_by(501, false));
    }
    SUBCASE("there are no more") {
        CHECK(failed.replaced_by(20, true));
    }
}
