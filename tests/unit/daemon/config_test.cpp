#include "daemon/config/config.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "daemon/process/usage_error.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace mirror;
using namespace mirror::daemon;

namespace {

Config read(const std::string& text) {
    const test::TemporaryDirectory directory;
    return read_config(directory.file("config.toml", text));
}

// What reading complains about, without the directory.
std::string complaint(const std::string& text) {
    const test::TemporaryDirectory directory;
    try {
        read_config(directory.file("config.toml", text));
    } catch (const UsageError& error) {
        const std::string message = error.what();
        const std::string prefix = directory.path().string() + "/";
        REQUIRE(message.rfind(prefix, 0) == 0);
        return message.substr(prefix.size());
    }
    return "none";
}

}  // namespace

TEST_CASE("configuration: every key is read") {
    const test::TemporaryDirectory directory;
    const Config config = read_config(directory.file("config.toml", R"(
[api]
url = "https://example.org/v3"
auth_url = "https://authenticate.example.org/x"
token_file = "token"
ca_file = "/etc/ca.pem"
proxy = "http://ann@proxy.example.org:3128"
proxy_password_file = "word"
time_zone = "UTC"
page_size = 500
connections = 2
requests_per_second = 3
[mirror]
database = "data/x.db"
start = "2016-01-02"
poll_interval = "30s"
overlap = "5m"
settle = "10s"
recheck_ages = ["1h", "2d"]
give_up_after = "1h"
indexes = ["mailing", "profile"]
[metrics]
listen = "127.0.0.1:9743"
[log]
level = "debug"
format = "json"
)"));
    CHECK(config.api.url == "https://example.org/v3");
    CHECK(config.api.auth_url == "https://authenticate.example.org/x");
    CHECK(config.api.token_file == directory.path() / "token");
    CHECK(config.api.ca_file == "/etc/ca.pem");
    CHECK(config.api.proxy == "http://ann@proxy.example.org:3128");
    CHECK(config.api.proxy_password_file == directory.path() / "word");
    CHECK(config.api.time_zone == "UTC");
    CHECK(config.api.page_size == 500);
    CHECK(config.api.connections == 2);
    CHECK(config.api.requests_per_second == 3);
    CHECK(config.mirror.database == directory.path() / "data/x.db");
    REQUIRE(config.mirror.start.has_value());
    CHECK(format_local(*config.mirror.start) == "2016-01-02 00:00:00");
    CHECK(config.mirror.poll_interval == Seconds(30));
    CHECK(config.mirror.overlap == Seconds(300));
    CHECK(config.mirror.settle == Seconds(10));
    CHECK(config.mirror.recheck_ages == std::vector{Seconds(3600), Seconds(172800)});
    CHECK(config.mirror.give_up_after == Seconds(3600));
    CHECK(config.mirror.indexes == std::vector<std::string>{"mailing", "profile"});
    CHECK(config.metrics.listen.value().address == "127.0.0.1");
    CHECK(config.metrics.listen.value().port == 9743);
    CHECK(config.log.level == "debug");
    CHECK(config.log.format == "json");
}

TEST_CASE("configuration: an empty file gives the defaults, the database beside it") {
    const test::TemporaryDirectory directory;
    const Config config = read_config(directory.file("config.toml", ""));
    CHECK(config.api.url == "https://api.copernica.com/v3");
    CHECK(config.api.auth_url == "https://authenticate.copernica.com/");
    CHECK(config.api.page_size == 1000);
    CHECK(config.mirror.database == directory.path() / "impressions.db");
    CHECK_FALSE(config.mirror.start.has_value());
    CHECK(config.mirror.give_up_after == Seconds(900));
}

TEST_CASE("configuration: streams, and what differs for one of them") {
    const Config all = read("[mirror]\nstreams = \"all\"\n");
    CHECK(all.mirror.streams.size() == streams().size());
    const Config some = read(R"(
[mirror]
streams = ["clicks", "impressions"]
[streams.clicks]
start = 2024-01-01
poll_interval = "5m"
indexes = ["profile"]
)");
    CHECK(some.mirror.streams == std::vector<std::string>{"clicks", "impressions"});
    const Config::StreamOptions& clicks = some.streams.at("clicks");
    CHECK(clicks.start == parse_local("2024-01-01 00:00:00"));
    CHECK(clicks.poll_interval == Seconds(300));
    CHECK(clicks.indexes == std::vector<std::string>{"profile"});
    CHECK(complaint("[mirror]\nstreams = [\"clicks\", \"opens\"]\n") ==
          "config.toml:2: [mirror] streams: unknown stream \"opens\"; known are impressions, "
          "clicks, deliveries, errors, abuses, unsubscribes, mailings");
    CHECK(complaint("[mirror]\nstreams = [\"all\"]\n") ==
          "config.toml:2: [mirror] streams: write \"all\" without a list: streams = \"all\"");
    CHECK(complaint("[streams.click]\nstart = \"\"\n").find("did you mean clicks?") !=
          std::string::npos);
    CHECK(complaint("[mirror]\nstreams = []\n").find("not an empty one") != std::string::npos);
    CHECK(complaint("[mirror]\nstreams = \"clicks\"\n").find("must be \"all\", or a list") !=
          std::string::npos);
    CHECK(complaint("[streams.clicks]\nsettle = \"5s\"\n").find("[streams.clicks] has no key") !=
          std::string::npos);
    CHECK(complaint("streams = 1\n").find("[streams] must be a table") != std::string::npos);
}

TEST_CASE("configuration: the start as text and as TOML dates") {
    const auto start = [](const std::string& value) {
        return format_local(read("[mirror]\nstart = " + value + "\n").mirror.start.value());
    };
    CHECK(start("\"2016-01-02 03:04:05\"") == "2016-01-02 03:04:05");
    CHECK(start("2016-01-02") == "2016-01-02 00:00:00");
    CHECK(start("2016-01-02T03:04:05") == "2016-01-02 03:04:05");
    CHECK_FALSE(read("[mirror]\nstart = \"\"\n").mirror.start.has_value());
}

TEST_CASE("configuration: what is wrong is named with its file, line and key") {
    CHECK(complaint("[api]\npage_size = 1001\n") ==
          "config.toml:2: [api] page_size must be a whole number from 1 to 1000");
    CHECK(complaint("[api]\n\npage_size = \"10\"\n") ==
          "config.toml:3: [api] page_size must be a whole number from 1 to 1000");
    CHECK(
        complaint("[api]\npage_sise = 10\n")
            .rfind(
                "config.toml:2: [api] has no key \"page_sise\" (did you mean page_size?); it has: ",
                0) == 0);
    CHECK(complaint("[apis]\nurl = \"\"\n") ==
          "config.toml:1: unknown table [apis] (did you mean api?); known: api, log, metrics, "
          "mirror, privacy, streams.NAME");
    CHECK(complaint("api = 3\n") == "config.toml:1: [api] must be a table");
    CHECK(complaint("[mirror]\noverlap = \"2 m\"\n")
              .rfind("config.toml:2: [mirror] overlap must be a duration", 0) == 0);
    CHECK(complaint("[mirror]\noverlap = 120\n")
              .rfind("config.toml:2: [mirror] overlap must be a duration", 0) == 0);
    CHECK(complaint("[mirror]\nstart = \"yesterday\"\n")
              .rfind("config.toml:2: [mirror] start must be a local date or time", 0) == 0);
    CHECK(complaint("[mirror]\nstart = 2016-01-02T03:04:05Z\n")
              .rfind("config.toml:2: [mirror] start must be a local date or time", 0) == 0);
    CHECK(complaint("[mirror]\nrecheck_ages = [\"1h\", 3]\n")
              .rfind("config.toml:2: each of [mirror] recheck_ages must be a duration", 0) == 0);
    CHECK(complaint("[mirror]\nindexes = [\"ip\"]\n")
              .rfind("config.toml:2: each of [mirror] indexes must be one of", 0) == 0);
    CHECK(complaint("[log]\nlevel = \"loud\"\n") ==
          "config.toml:2: [log] level must be one of \"trace\", \"debug\", \"info\", "
          "\"warning\", \"error\"");
    CHECK(complaint("[api]\nproxy = 3\n") ==
          "config.toml:2: [api] proxy must be \"\", \"none\", or the URL of a proxy such as "
          "\"http://proxy.example.com:3128\"");
    for (const char* const url :
         {"no", "proxy:3128", "https://ann:CANARY@proxy", "socks5://ann:CANARY@proxy:1080",
          "http://ann:CANARY@proxy:0", "http://ann:CANARY@proxy/x", "http://:CANARY@proxy"}) {
        CAPTURE(url);
        const std::string said = complaint("[api]\n\nproxy = \"" + std::string(url) + "\"\n");
        CHECK(said.rfind("config.toml:3: [api] proxy: ", 0) == 0);
        CHECK(said.find("CANARY") == std::string::npos);
    }
    CHECK(complaint("[api]\nproxy_password_file = 3\n")
              .rfind("config.toml:2: [api] proxy_password_file must be", 0) == 0);
    CHECK(complaint("[api]\nauth_url = 3\n") ==
          "config.toml:2: [api] auth_url must be a URL, as text");
    for (const char* const url :
         {"", "authenticate.copernica.com", "http://authenticate.copernica.com/",
          "ftp://authenticate.copernica.com", "https://", "https://user:word@example.org/",
          "https://example.org/?access_token=x", "https://example.org:99999/"}) {
        CAPTURE(url);
        CHECK(complaint("[api]\n\nauth_url = \"" + std::string(url) + "\"\n")
                  .rfind("config.toml:3: [api] auth_url: ", 0) == 0);
    }
    CHECK(complaint("[api]\nurl = \n").rfind("config.toml:2: ", 0) == 0);
    CHECK(complaint("[api]\nurl = \"a\"\nurl = \"b\"\n").rfind("config.toml:3: ", 0) == 0);
}

TEST_CASE("configuration: a key that is judged later is named with its file and line") {
    const test::TemporaryDirectory directory;
    const Config config = read_config(
        directory.file("config.toml",
                       "[api]\nca_file = \"x\"\n\n[streams.clicks]\nstart = \"2099-01-01\"\n"
                       "[mirror]\naudit_ages = []\n"));
    const std::string file = (directory.path() / "config.toml").string();
    CHECK(config.name_of("[api] ca_file") == file + ":2: [api] ca_file");
    CHECK(config.name_of("[streams.clicks] start") == file + ":5: [streams.clicks] start");
    // By the name of today, as it is written.
    CHECK(config.name_of("[mirror] recheck_ages") == file + ":7: [mirror] audit_ages");
    CHECK(config.name_of("[api] url") == "[api] url");
}

TEST_CASE("configuration: rows are kept at least until they were read for the last time") {
    CHECK(read("").privacy.keep == std::nullopt);
    CHECK(read("[privacy]\nkeep = \"\"\n").privacy.keep == std::nullopt);
    CHECK(read("[privacy]\nkeep = \"730d\"\n").privacy.keep == Seconds(730 * 86400));
    CHECK(read("[privacy]\nkeep = \"7d\"\n").privacy.keep == Seconds(7 * 86400));
    CHECK(complaint("[privacy]\nkeep = \"6d\"\n") ==
          "config.toml:2: [privacy] keep (6 d) is shorter than the last of [mirror] recheck_ages "
          "(7 d): what comes late would be erased before it is read; make keep longer, or the ages "
          "shorter");
    CHECK(read("[privacy]\nkeep = \"6d\"\n[mirror]\nrecheck_ages = [\"1d\"]\n").privacy.keep ==
          Seconds(6 * 86400));
    CHECK(read("[privacy]\nkeep = \"1d\"\n[mirror]\nrecheck_ages = []\n").privacy.keep ==
          Seconds(86400));
    CHECK(complaint("[privacy]\nkeep = \"23h\"\n").rfind("config.toml:2: [privacy] keep", 0) == 0);
}

TEST_CASE("configuration: how much is kept of addresses and user agents") {
    CHECK_FALSE(read("[privacy]\n").privacy.kept.cuts());
    const Privacy kept = read("[privacy]\nip = \"network\"\nuseragent = \"none\"\n").privacy.kept;
    CHECK(kept.ip == Privacy::Addresses::network);
    CHECK(kept.useragent == Privacy::UserAgents::none);
    CHECK(read("[privacy]\nip = \"none\"\n").privacy.kept.ip == Privacy::Addresses::none);
    CHECK_FALSE(read("[privacy]\nip = \"full\"\nuseragent = \"full\"\n").privacy.kept.cuts());
    for (const char* const value : {"\"\"", "\"Network\"", "\"/24\"", "true", "24", "[\"none\"]"}) {
        CAPTURE(std::string(value));
        CHECK(complaint("[privacy]\n\nip = " + std::string(value) + "\n") ==
              "config.toml:3: [privacy] ip must be one of \"full\", \"network\", \"none\"");
    }
    CHECK(complaint("[privacy]\nuseragent = \"network\"\n") ==
          "config.toml:2: [privacy] useragent must be one of \"full\", \"none\"");
}

TEST_CASE("configuration: a key's old name is accepted with a warning") {
    const Config config = read("[mirror]\n\naudit_ages = [\"1h\"]\n");
    CHECK(config.mirror.recheck_ages == std::vector{Seconds(3600)});
    REQUIRE(config.warnings.size() == 1);
    CHECK(config.warnings[0].ends_with(
        "config.toml:3: [mirror] audit_ages is called recheck_ages now; rename it"));
    CHECK(read("[mirror]\nrecheck_ages = []\n").warnings.empty());
    CHECK(
        complaint("[mirror]\naudit_ages = []\nrecheck_ages = []\n") ==
        "config.toml:2: [mirror] audit_ages is the old name of recheck_ages, which is there, too; "
        "remove one of them");
    CHECK(complaint("[mirror]\naudit_ages = 3\n")
              .rfind("config.toml:2: [mirror] audit_ages must be a list", 0) == 0);
}

TEST_CASE("configuration: what is complained about stays on one line and moves no cursor") {
    CHECK(complaint("[\"a\\u001b[2J\\nb\"]\n")
              .rfind("config.toml:1: unknown table [a\\u001b[2J\\nb]; known: ", 0) == 0);
    CHECK(complaint("[api]\n\"a\\u001b[2J\\nb\" = 1\n")
              .rfind("config.toml:2: [api] has no key \"a\\u001b[2J\\nb\"; it has: ", 0) == 0);
}

TEST_CASE("configuration: a file that is not there is named") {
    CHECK_THROWS_WITH_AS(read_config("/nonexistent/config.toml"),
                         doctest::Contains("/nonexistent/config.toml"), UsageError);
}
