// `--version` of the real program, which knows the commit that it was built from.

#include "daemon/process/version.hpp"

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/end_to_end/scene.hpp"
#include "tests/paths.hpp"

using namespace mirror;
using namespace mirror::test;

TEST_CASE("version: for scripts in the first line, for reports in the others") {
    Scene scene;
    scene.token.clear();
    scene.configure("nonsense", "it is not read\n");
    const Run run = scene.run({"--version"});
    CHECK(run.code == 0);
    CHECK(run.err == "");
    std::istringstream in(run.out);
    std::string first;
    std::getline(in, first);
    CHECK(first == fmt::format("copernica-mirror {}", daemon::version));
    std::vector<std::string> names;
    std::string commit;
    for (std::string name, value; in >> name >> value;) {
        names.push_back(name);
        if (name == "commit") {
            commit = value;
        }
    }
    const std::string git =
        fmt::format("git -C '{0}' --git-dir='{0}/.git' ", std::string(project_root));
    const bool known = std::filesystem::exists(std::string(project_root) + "/.git") &&
                       std::system((git + "rev-parse --verify HEAD >/dev/null 2>&1").c_str()) == 0;
    if (known) {
        CHECK(names == std::vector<std::string>{"commit", "Boost", "OpenSSL", "SQLite", "schema"});
        // The program may be older than the newest commit, but what it names is there.
        commit = commit.substr(0, commit.find("-dirty"));
        CHECK(commit.size() >= 12);
        CHECK(std::system((git + "cat-file -e " + commit + "^{commit}").c_str()) == 0);
    } else {
        CHECK(names == std::vector<std::string>{"Boost", "OpenSSL", "SQLite", "schema"});
    }
}
