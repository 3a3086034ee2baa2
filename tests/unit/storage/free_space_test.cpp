#include "storage/sqlite/free_space.hpp"

#include <array>

#include <doctest/doctest.h>

using namespace mirror::storage;

namespace {

// A leaf of a table with one cell at the end, and a free block before it.
std::array<unsigned char, 512> leaf() {
    std::array<unsigned char, 512> page{};
    page[0] = 13;
    page[2] = 100;   // the first free block
    page[4] = 1;     // cells
    page[6] = 90;    // where content begins
    page[103] = 20;  // the size of the block
    return page;
}

using Ranges = std::vector<ByteRange>;

}  // namespace

TEST_CASE("free space: between the pointers and the cells, and in free blocks") {
    const auto page = leaf();
    CHECK(unused_bytes(page, 0) == Ranges{{10, 90}, {104, 120}});
}

TEST_CASE("free space: a page of another kind, or one that is not sound, is left alone") {
    auto page = leaf();
    page[0] = 1;
    CHECK(unused_bytes(page, 0).empty());
    page = leaf();
    page[5] = 255;  // content begins behind the end
    CHECK(unused_bytes(page, 0).empty());
    page = leaf();
    page[102] = 255;  // a block that is longer than the page
    CHECK(unused_bytes(page, 0).empty());
    page = leaf();
    page[101] = 100;  // a block that follows itself
    CHECK(unused_bytes(page, 0).empty());
    CHECK(unused_bytes(std::span(page).first(4), 0).empty());
}
