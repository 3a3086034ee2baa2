#include "daemon/config/trusted_file.hpp"

#include <filesystem>

#include <doctest/doctest.h>

#include "tests/support/temporary_directory.hpp"

using namespace mirror;
using mirror::daemon::how_anybody_may_change;

namespace {

void chmod(const std::filesystem::path& path, unsigned mode) {
    std::filesystem::permissions(path, static_cast<std::filesystem::perms>(mode));
}

}  // namespace

TEST_CASE("trusted file: who may change it") {
    const test::TemporaryDirectory directory;
    const auto inner = directory.path() / "a" / "b";
    std::filesystem::create_directories(inner);
    const auto file = inner / "config.toml";
    std::filesystem::copy_file("/proc/self/status", file);
    chmod(file, 0644);
    CHECK_FALSE(how_anybody_may_change(file));
    CHECK_FALSE(how_anybody_may_change(inner / "missing"));

    chmod(file, 0666);
    CHECK(how_anybody_may_change(file).value_or("").find("mode 0666") != std::string::npos);
    chmod(file, 0600);
    chmod(directory.path() / "a", 0777);
    const std::string why = how_anybody_may_change(file).value_or("");
    CHECK(why.find("everybody may replace") != std::string::npos);
    CHECK(why.find("mode 0777") != std::string::npos);
    // As /tmp is.
    chmod(directory.path() / "a", 01777);
    CHECK_FALSE(how_anybody_may_change(file));

    // The file that a link leads to is the one that counts.
    const auto link = directory.path() / "link";
    std::filesystem::create_symlink(file, link);
    chmod(file, 0666);
    CHECK(how_anybody_may_change(link));
}
