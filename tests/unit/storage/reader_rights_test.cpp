// A user who may not write the file can read it.
#include <csignal>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "storage/status_reader.hpp"
#include "tests/unit/storage/fixture.hpp"

using namespace mirror;
using namespace mirror::storage;
using namespace mirror::storage::testing;

namespace {

// In a child, as the user nobody if we are root: 0 when the status could be read and counts `rows`.
int read_as_nobody(const std::filesystem::path& path, std::uint64_t rows) {
    const pid_t child = ::fork();
    if (child == 0) {
        if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) {
            ::_exit(3);
        }
        try {
            StatusOptions options;
            options.path = path;
            const bool right =
                read_status(options).of(impressions).rows == rows &&
                ask(path, "SELECT count(*) FROM impressions") == std::to_string(rows);
            ::_exit(right ? 0 : 1);
        } catch (const std::exception&) {
            ::_exit(2);
        }
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void let_others_only_read(const TemporaryDirectory& directory) {
    for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
        ::chmod(entry.path().c_str(), 0444);
    }
    ::chmod(directory.path().c_str(), 0555);
}

}  // namespace

TEST_CASE("a reader without permission to write can always read") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    SUBCASE("after a clean end") {
        make_mirror(path);
        let_others_only_read(directory);
        CHECK(read_as_nobody(path, 50) == 0);
    }
    SUBCASE("while it is being written") {
        MirrorFile file(options_for(path), noon());
        file.writer(impressions)
            .commit(whole(noon_window(0, 60), rows(1, 50)), noon(60), at(noon(60)));
        let_others_only_read(directory);
        CHECK(read_as_nobody(path, 50) == 0);
    }
    SUBCASE("after a kill") {
        const pid_t child = ::fork();
        if (child == 0) {
            MirrorFile file(options_for(path), noon());
            file.writer(impressions)
                .commit(whole(noon_window(0, 60), rows(1, 50)), noon(60), at(noon(60)));
            ::kill(::getpid(), SIGKILL);
        }
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE(WIFSIGNALED(status));
        let_others_only_read(directory);
        CHECK(read_as_nobody(path, 50) == 0);
    }
    ::chmod(directory.path().c_str(), 0755);
}
