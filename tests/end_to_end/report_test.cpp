// `report` on a simulated account.
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "tests/end_to_end/scene.hpp"
#include "tests/simulator/story.hpp"

using namespace mirror;
using namespace mirror::test;

namespace {

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("report: a file with numbers and without persons") {
    Scene scene;
    populate(scene, 2000);
    simulator::Story story;
    story.end = present() - Seconds(3600);
    simulator::tell(scene.account, story);
    scene.configure("mirror", "streams = \"all\"\n");
    REQUIRE(scene.run({"sync"}).code == 0);
    const auto file = scene.directory() / "report.html";
    scene.token.clear();
    const Run run =
        scene.run({"report", "--from", "2026-06-01", "--to", "2026-11-24", "-o", file.string()});
    CAPTURE(run.err);
    REQUIRE(run.code == 0);
    CHECK(run.out == "");
    const std::string page = bytes_of(file);
    CHECK(page.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
    CHECK(page.ends_with("</body>\n</html>\n"));
    CHECK(has(page, "2,000 opens."));
    CHECK(has(page, "<h2>The newest mailings</h2>"));
    CHECK(has(page, scene.query("SELECT subject FROM mailings ORDER BY timestamp DESC LIMIT 1")));
    CHECK(has(page, "<td>sync</td>"));
    // No address, no profile, no destination.
    for (const char* const column : {"ip", "profile", "destination"}) {
        CAPTURE(column);
        const std::string value =
            scene.query(std::string("SELECT ") + column +
                        " FROM impressions WHERE profile IS NOT NULL LIMIT 1");
        CHECK_FALSE(has(page, value));
    }
    // The same on standard output, where nothing else is, and beside a mirror that holds less.
    const Run printed = scene.run({"report", "--from", "2026-06-01", "--to", "2026-11-24"});
    CHECK(printed.code == 0);
    CHECK(printed.out.size() + 100 > page.size());
    CHECK(printed.err == "");
    CHECK(scene.run({"report"}).code == 0);
}

TEST_CASE("report: replaces only pages") {
    Scene scene;
    populate(scene, 10);
    REQUIRE(scene.run({"sync"}).code == 0);
    const auto letter = scene.directory() / "letter.txt";
    std::ofstream(letter) << "Dear reader";
    const std::string database = scene.database().string();
    for (const std::string& other : {database, database + "-wal", database + ".lock",
                                     letter.string(), scene.directory().string()}) {
        CAPTURE(other);
        const Run refused = scene.run({"report", "-o", other});
        CHECK(refused.code == 2);
        CHECK(has(refused.err, "name another file"));
    }
    CHECK(std::filesystem::file_size(letter) == 11);
    CHECK(scene.difference() == "");
    const auto page = scene.directory() / "page.html";
    for (int times = 0; times < 2; ++times) {
        CHECK(scene.run({"report", "-o", page.string()}).code == 0);
    }
    CHECK(has(scene.run({"report", "-o", "-"}).out, "<!DOCTYPE html>"));
    CHECK_FALSE(std::filesystem::exists(scene.directory() / "-"));
    // A pipe is written to; only regular files are replaced.
    const auto pipe = scene.directory() / "pipe";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    const int reader = ::open(pipe.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    REQUIRE(reader >= 0);
    REQUIRE(::fcntl(reader, F_SETPIPE_SZ, 1 << 20) >= 1 << 17);
    CHECK(scene.run({"report", "-o", pipe.string()}).code == 0);
    std::string begin(9, ' ');
    CHECK(::read(reader, begin.data(), begin.size()) == 9);
    CHECK(begin == "<!DOCTYPE");
    ::close(reader);
    CHECK(std::filesystem::is_fifo(pipe));
}

TEST_CASE("report: what is wrong ends with the codes of status") {
    Scene scene;
    const Run absent = scene.run({"report"});
    CHECK(absent.code == 4);
    populate(scene, 10);
    REQUIRE(scene.run({"sync"}).code == 0);
    const Run period = scene.run({"report", "--from", "2026-02-01", "--to", "2026-01-01"});
    CHECK(period.code == 2);
    CHECK(has(period.err, "--from 2026-02-01 must be before --to 2026-01-01"));
    const Run directory = scene.run({"report", "-o", "missing/report.html"});
    CHECK(directory.code == 2);
    CHECK(has(directory.err, "--output missing/report.html: cannot make a file in its directory"));
    CHECK_FALSE(std::filesystem::exists(scene.directory() / "missing"));
}
