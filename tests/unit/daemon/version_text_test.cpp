// What --version prints.
#include "daemon/cli/version_text.hpp"

#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <openssl/opensslv.h>
#include <sqlite3.h>

#include "daemon/process/version.hpp"
#include "storage/migrations.hpp"

using namespace mirror;
using namespace mirror::daemon;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    return lines;
}

}  // namespace

TEST_CASE("version: the program, its commit, its libraries and the schema") {
    const auto lines = lines_of(version_text("0123456789ab-dirty"));
    REQUIRE(lines.size() == 6);
    CHECK(lines[0] == fmt::format("copernica-mirror {}", version));
    CHECK(lines[1] == "commit   0123456789ab-dirty");
    CHECK(lines[2].starts_with("Boost    1."));
    // Tests run with the libraries that they were built with, or with a later patch of the same.
    CHECK(lines[3].starts_with(
        fmt::format("OpenSSL  {}.{}.", OPENSSL_VERSION_MAJOR, OPENSSL_VERSION_MINOR)));
    CHECK(lines[4] == fmt::format("SQLite   {}", sqlite3_libversion()));
    CHECK(lines[5] == fmt::format("schema   {}", storage::schema_version));
}

TEST_CASE("version: a build without a commit does not name one") {
    const auto lines = lines_of(version_text(""));
    REQUIRE(lines.size() == 5);
    CHECK(lines[0] == fmt::format("copernica-mirror {}", version));
    CHECK(lines[1].starts_with("Boost"));
}
