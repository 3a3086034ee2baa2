// docs/configuration.md and the example, against the program.
#include <map>

#include <doctest/doctest.h>

#include "daemon/config/config.hpp"
#include "tests/paths.hpp"
#include "tests/unit/documentation/documents.hpp"

using namespace mirror;
using namespace mirror::daemon;
using namespace mirror::test;

TEST_CASE("documentation: every key with its default, also in the example") {
    const std::string text = document("docs/configuration.md");
    const std::string example = document("packaging/config.toml");
    std::map<std::string, Names> keys;
    for (const std::string& key : config_keys()) {
        const auto dot = key.rfind('.');
        keys[key.substr(0, dot)].insert(key.substr(dot + 1));
    }
    CHECK(keys.size() == 6);
    for (const auto& keys_of_table : keys) {
        const auto& table = keys_of_table.first;
        const auto& names = keys_of_table.second;
        CAPTURE(table);
        const std::string part = section(text, "`[" + table + "]`");
        check_documented(documented(part, "key"), names);
        for (const auto& row : table_rows(part, "key")) {
            REQUIRE(row.size() == 3);
            if (table == "streams.NAME") {
                continue;  // as in [mirror]
            }
            CAPTURE(row.front());
            REQUIRE(row[1].size() > 2);
            const std::string value = row[1].substr(1, row[1].size() - 2);  // without backticks
            CHECK(mentions(example, "\n" + names_in(row[0]).at(0) + " = " + value + "\n"));
        }
    }
    // The example is what the program does without it.
    const Config defaults;
    const Config read = read_config(std::string(test::project_root) + "/packaging/config.toml");
    CHECK(read.api.url == defaults.api.url);
    CHECK(read.api.auth_url == defaults.api.auth_url);
    CHECK(read.api.proxy == defaults.api.proxy);
    CHECK(read.api.proxy_password_file == defaults.api.proxy_password_file);
    CHECK(read.api.page_size == defaults.api.page_size);
    CHECK(read.api.connections == defaults.api.connections);
    CHECK(read.api.requests_per_second == defaults.api.requests_per_second);
    CHECK(read.mirror.start == defaults.mirror.start);
    CHECK(read.mirror.streams == defaults.mirror.streams);
    CHECK(read.streams == defaults.streams);
    CHECK(read.api.requests_per_day == defaults.api.requests_per_day);
    CHECK(read.mirror.poll_interval == defaults.mirror.poll_interval);
    CHECK(read.mirror.idle_poll_interval == defaults.mirror.poll_interval);
    CHECK(read.mirror.overlap == defaults.mirror.overlap);
    CHECK(read.mirror.settle == defaults.mirror.settle);
    CHECK(read.mirror.recheck_ages == defaults.mirror.recheck_ages);
    CHECK(read.mirror.sweep == defaults.mirror.sweep);
    CHECK(read.mirror.give_up_after == defaults.mirror.give_up_after);
    CHECK(read.mirror.indexes == defaults.mirror.indexes);
    CHECK(read.privacy.keep == defaults.privacy.keep);
    CHECK(read.privacy.kept == defaults.privacy.kept);
    CHECK(read.metrics.listen.has_value() == defaults.metrics.listen.has_value());
}
