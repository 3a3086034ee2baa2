#include "daemon/cli/version_text.hpp"

#include <boost/version.hpp>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sqlite3.h>

#include "daemon/process/version.hpp"
#include "storage/migrations.hpp"

namespace mirror::daemon {

std::string version_text(std::string_view commit) {
    std::string text = fmt::format("copernica-mirror {}\n", version);
    const auto line = [&text](std::string_view name, std::string_view value) {
        text += fmt::format("{:<8} {}\n", name, value);
    };
    if (!commit.empty()) {
        line("commit", commit);
    }
    line("Boost", fmt::format("{}.{}.{}", BOOST_VERSION / 100'000, BOOST_VERSION / 100 % 1'000,
                              BOOST_VERSION % 100));
    line("OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING));
    line("SQLite", sqlite3_libversion());
    line("schema", fmt::format("{}", storage::schema_version));
    return text;
}

}  // namespace mirror::daemon
