// Equal texts have one place.
#include "core/record/text_pool.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

using namespace mirror;

TEST_CASE("a text that comes again stands where it stood, and all stay in their places") {
    TextPool pool;
    CHECK_FALSE(pool.find("").has_value());
    std::vector<std::string_view> kept;
    std::size_t bytes = 0;
    constexpr int texts = 5000;
    for (int i = 0; i < texts; ++i) {
        const std::string text = "text " + std::to_string(i);
        CHECK_FALSE(pool.find(text).has_value());
        kept.push_back(pool.keep(text));
        bytes += text.size();
    }
    std::set<const char*> places;
    for (int i = 0; i < texts; ++i) {
        const std::string text = "text " + std::to_string(i);
        const std::string_view before = kept[static_cast<std::size_t>(i)];
        CHECK(before == text);
        CHECK(pool.find(text)->data() == before.data());
        CHECK(pool.keep(text).data() == before.data());
        places.insert(before.data());
    }
    CHECK(places.size() == texts);
    CHECK(pool.bytes() == bytes);
}

TEST_CASE("an empty text is one, and bytes may be any") {
    TextPool pool;
    const std::string_view empty = pool.keep("");
    CHECK(empty.data() != nullptr);
    CHECK(pool.keep("").data() == empty.data());
    const std::string zeros("\0\xFF\0", 3);
    CHECK(pool.keep(zeros) == zeros);
    CHECK(pool.find(zeros.substr(0, 2)) == std::nullopt);
}
