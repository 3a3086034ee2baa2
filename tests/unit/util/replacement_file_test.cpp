#include "core/util/replacement_file.hpp"

#include <fstream>
#include <iterator>
#include <sys/stat.h>

#include <doctest/doctest.h>

#include "tests/support/temporary_directory.hpp"

using namespace mirror;

namespace {

std::string text_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

TEST_CASE("replacement file: only files of our own are replaced") {
    const test::TemporaryDirectory directory;
    const auto why = [](const std::filesystem::path& target) {
        return why_not_to_replace(target, "# HELP", "metrics").value_or("");
    };
    CHECK(why(directory.path() / "absent") == "");
    CHECK(why(directory.file("empty", "")) == "");
    CHECK(why(directory.file("own", "# HELP x\n")) == "");
    CHECK(why(directory.file("token", "0f8e7d")) == "it exists, and is not metrics");
    CHECK(why(directory.file("short", "# HE")) == "it exists, and is not metrics");
    CHECK(why(directory.path()) == "it is not a regular file");
    CHECK(why("/dev/null") == "it is not a regular file");
}

TEST_CASE("replacement file: replaces as a whole, or leaves nothing") {
    const test::TemporaryDirectory directory;
    const auto target = directory.file("target", "before");
    const mode_t before = ::umask(0077);
    {
        const ReplacementFile file(target, 0640);
        file.write("never seen");
    }
    CHECK(text_of(target) == "before");
    {
        ReplacementFile file(target, 0644);
        file.write("quickly");
        CHECK(text_of(target) == "before");
        file.replace();
    }
    CHECK(text_of(target) == "quickly");
    CHECK(std::filesystem::status(target).permissions() ==
          static_cast<std::filesystem::perms>(0644));
    {
        ReplacementFile file(target, 0640);
        file.write("durably");
        file.replace_durably();
    }
    ::umask(before);
    CHECK(text_of(target) == "durably");
    CHECK(std::filesystem::status(target).permissions() ==
          static_cast<std::filesystem::perms>(0640));
    CHECK(std::distance(std::filesystem::directory_iterator(directory.path()),
                        std::filesystem::directory_iterator{}) == 1);
}

TEST_CASE("replacement file: what a killed process has left is removed, and nothing else") {
    const test::TemporaryDirectory directory;
    const auto target = directory / "copy.db";
    const auto left = directory.file("copy.db.unfinished-a1B2c3", "whole rows");
    const auto beside = directory.file("copy.db.unfinished-a1B2c3-journal", "more");
    const auto others = {directory.file("copy.db.backup", "mine"),
                         directory.file("copy.db.unfinished-business", "mine"),
                         directory.file("other.db.unfinished-a1B2c3", "mine")};
    const ReplacementFile at_work(target, 0640);
    CHECK_FALSE(std::filesystem::exists(left));
    CHECK_FALSE(std::filesystem::exists(beside));
    const ReplacementFile second(target, 0640);
    CHECK(std::filesystem::exists(at_work.name()));
    for (const auto& other : others) {
        CHECK(std::filesystem::exists(other));
    }
}

TEST_CASE("replacement file: an error says what was tried") {
    const test::TemporaryDirectory directory;
    try {
        const ReplacementFile file(directory / "missing" / "target", 0640);
        FAIL("no error");
    } catch (const FileError& error) {
        CHECK(error.attempt() == "make a file in its directory");
        CHECK(error.code() == std::errc::no_such_file_or_directory);
    }
    // A directory cannot be replaced by a file.
    ReplacementFile file(directory.path(), 0640);
    CHECK_THROWS_AS(file.replace(), FileError);
}
