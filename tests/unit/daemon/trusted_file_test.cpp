#include "daemon/config/trusted_file.hpp"

#include <filesystem>

#include <doctest/doctest.h>

#include "tests/support/temporary_directory.hpp"

using namespace mirror;
using namespace mirror::daemon;

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

TEST_CASE("trusted file: a link that everybody may replace") {
    const test::TemporaryDirectory directory;
    for (const char* name : {"safe", "open", "other"}) {
        std::filesystem::create_directory(directory / name);
    }
    const auto file = directory.path() / "safe" / "config.toml";
    std::filesystem::copy_file("/proc/self/status", file);
    chmod(file, 0644);
    chmod(directory / "open", 0777);
    // The last part of the way is the link, or one in the middle, or one that a link leads to.
    std::filesystem::create_symlink(file, directory.path() / "open" / "config.toml");
    std::filesystem::create_symlink("../safe", directory.path() / "open" / "folder");
    std::filesystem::create_symlink("../open/config.toml", directory.path() / "other" / "link");
    for (const auto& way : {directory.path() / "open" / "config.toml",
                            directory.path() / "open" / "folder" / "config.toml",
                            directory.path() / "other" / "link"}) {
        CAPTURE(way.string());
        const std::string why = how_anybody_may_change(way).value_or("");
        CHECK(why.find("everybody may replace " + way.string()) != std::string::npos);
        CHECK(why.find((directory / "open").string() + " on the way to it has mode 0777") !=
              std::string::npos);
    }
    // What the way passes by does not count.
    CHECK_FALSE(how_anybody_may_change(file));
    chmod(directory / "open", 01777);
    CHECK_FALSE(how_anybody_may_change(directory.path() / "other" / "link"));
    std::filesystem::create_symlink("circle", directory / "circle");
    CHECK_FALSE(how_anybody_may_change(directory / "circle"));
}

TEST_CASE("trusted file: modes do not count if nobody can write there") {
    CHECK(others_may_write(0666, false));
    CHECK_FALSE(others_may_write(0664, false));
    CHECK_FALSE(others_may_write(0666, true));
    CHECK(others_may_replace_in(0777, false));
    CHECK_FALSE(others_may_replace_in(01777, false));
    CHECK_FALSE(others_may_replace_in(0777, true));
}
