#include "daemon/process/unreadable.hpp"

#include <filesystem>

#include <doctest/doctest.h>

#include "tests/support/temporary_directory.hpp"

using namespace mirror;
using daemon::why_unreadable;

TEST_CASE("unreadable: the system's reason") {
    const test::TemporaryDirectory directory;
    CHECK(why_unreadable(directory.path() / "nowhere") == "No such file or directory");
    CHECK(why_unreadable(directory.path()) == "it is a directory");
    CHECK(why_unreadable("/dev/null") == "it is not a file");
    CHECK(why_unreadable(directory.file("file", "text") / "below") == "Not a directory");
    const auto loop = directory.path() / "loop";
    std::filesystem::create_symlink(loop, loop);
    CHECK(why_unreadable(loop) == "Too many levels of symbolic links");
    CHECK(why_unreadable(directory.file("readable", "text")) == "it changed meanwhile");
}
