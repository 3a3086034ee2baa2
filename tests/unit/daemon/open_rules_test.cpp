// Rules of opens: what the packaged ones say of programs that are met, and what reading refuses.
#include "core/record/open_rules.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "daemon/config/config.hpp"
#include "daemon/config/open_rules_file.hpp"
#include "daemon/process/usage_error.hpp"
#include "tests/paths.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace mirror;
using namespace mirror::daemon;

namespace {

std::string kind_on(const std::vector<OpenVerdict>& verdicts, const std::string& day) {
    for (const OpenVerdict& verdict : verdicts) {
        if (verdict.from <= day && day < verdict.to) {
            return verdict.kind;
        }
    }
    return "none";
}

std::string kind_of(const std::string& useragent, const std::string& day = "2026-03-01 12:00:00") {
    const Entry agent{useragent, std::nullopt};
    return kind_on(judge_opens(packaged_open_rules(), agent), day);
}

// What reading complains about, without the directory.
std::string complaint(const std::string& rules) {
    const test::TemporaryDirectory directory;
    try {
        read_open_rules(directory.file("rules.toml", rules));
    } catch (const UsageError& error) {
        return std::string(error.what()).substr(directory.path().string().size() + 1);
    }
    return "none";
}

const std::string fine =
    "[[rules]]\nrule = \"a\"\nkind = \"proxy\"\nform = \"exact\"\npattern = \"x\"\nsource = "
    "\"s\"\n";

}  // namespace

TEST_CASE("open rules: the kind of programs that are met") {
    struct Row {
        const char *useragent, *kind, *source;
    };
    const Row rows[] = {
        // Programs of people.
        {"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Thunderbird/128.4.0",
         "person", "Thunderbird's own"},
        {"Mozilla/5.0 (iPhone; CPU iPhone OS 14_8 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
         "Gecko) Mobile/15E148",
         "person", "Apple Mail without its privacy protection"},
        {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)",
         "person", "Apple Mail on macOS without its privacy protection"},
        {"Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/8.0; .NET4.0C; "
         ".NET4.0E; ms-office; MSOffice 16)",
         "person", "Outlook for Windows"},
        {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246",
         "person", "the browser whose name Gmail took, without what Gmail adds"},
        {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 "
         "Safari/537.36",
         "person", "a browser, such as for webmail"},
        // Apple Mail Privacy Protection.
        {"Mozilla/5.0", "privacy",
         "https://www.apple.com/newsroom/2021/09/ios-15-is-available-today/"},
        // Gmail.
        {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0",
         "prefetch", "https://www.sparkpost.com/blog/gmail-prefetching-images/"},
        {"Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com "
         "GoogleImageProxy)",
         "proxy", "https://github.com/matomo-org/device-detector/issues/5359"},
        {"Mozilla/5.0 (Windows; U; Windows NT 5.1; de; rv:1.9.0.7) Gecko/2009021910 Firefox/3.0.7 "
         "(via ggpht.com)",
         "proxy", "an older form of the same"},
        // Other proxies.
        {"YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", "proxy",
         "https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"},
        {"SeznamEmailProxy/2.0.12", "proxy",
         "https://github.com/matomo-org/device-detector/blob/master/regexes/bots.yml"},
        // Scanners.
        {"Barracuda Sentinel (EE)", "scanner", "https://github.com/mautic/mautic/issues/16263"},
        {"Mozilla/5.0 (compatible; Proofpoint URL Defense)", "scanner",
         "https://github.com/mautic/mautic/issues/16263"},
        {"Mozilla/5.0 (compatible; Mimecast)", "scanner",
         "https://github.com/mautic/mautic/issues/16263"},
        {"Microsoft Office Existence Discovery", "scanner", "Microsoft Office's own"},
        // Byte by byte: no rule names these.
        {"mozilla/5.0", "person", "another spelling"},
        {"Mozilla/5.0 ", "person", "a space more"},
        {"", "none", "no name at all"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.useragent);
        CAPTURE(row.source);
        CHECK(kind_of(row.useragent) == row.kind);
    }
}

TEST_CASE("open rules: a rule holds in its time only") {
    CHECK(kind_of("Mozilla/5.0", "2021-09-19 23:59:59") == "person");
    CHECK(kind_of("Mozilla/5.0", "2021-09-20 00:00:00") == "privacy");
    CHECK(kind_of("YahooMailProxy", "2017-12-31 23:59:59") == "person");
    CHECK(kind_of("YahooMailProxy", "2018-01-01 00:00:00") == "proxy");
    CHECK(kind_of("Mozilla/5.0", "9999-12-31 23:59:59") == "privacy");
    CHECK(kind_of("Mozilla/5.0", "0000-01-01 00:00:00") == "person");
}

TEST_CASE("open rules: the first that holds counts, and neighbours that say the same are one") {
    const OpenRule late{"late",       "proxy", "useragent", "prefix", "Mail",
                        "2026-01-01", "",      "s",         true};
    const OpenRule summer{"summer",     "scanner",    "useragent", "suffix", "er",
                          "2025-06-01", "2026-06-01", "s",         true};
    const OpenRule off{"off", "prefetch", "useragent", "exact", "Mailer", "", "", "s", false};
    const OpenRule phone{"phone", "person", "device", "exact", "mobile", "", "", "s", true};
    const Entry agent{"Mailer", "desktop"};
    using Verdicts = std::vector<OpenVerdict>;
    const std::string begin(first_day);
    const std::string end(after_last_day);
    CHECK(judge_opens({off, late, summer}, agent) ==
          Verdicts{{"person", begin, "2025-06-01", std::nullopt},
                   {"scanner", "2025-06-01", "2026-01-01", "summer"},
                   {"proxy", "2026-01-01", end, "late"}});
    CHECK(judge_opens({summer, late}, agent) ==
          Verdicts{{"person", begin, "2025-06-01", std::nullopt},
                   {"scanner", "2025-06-01", "2026-06-01", "summer"},
                   {"proxy", "2026-06-01", end, "late"}});
    CHECK(judge_opens({late}, {"Mail", std::nullopt}).size() == 2);
    CHECK(judge_opens({}, agent) == Verdicts{{"person", begin, end, std::nullopt}});
    CHECK(judge_opens({late, phone}, {std::nullopt, "mobile"}) ==
          Verdicts{{"person", begin, end, "phone"}});
    CHECK(judge_opens({late}, {std::nullopt, "mobile"}).empty());
}

TEST_CASE("open rules: the packaged ones are those of the file, each with a source") {
    const std::vector<OpenRule> rules = packaged_open_rules();
    CHECK(rules.size() == 10);
    CHECK(rules == read_open_rules(std::string(test::project_root) + "/packaging/open-rules.toml"));
    for (const std::string& kind : open_kinds()) {
        CAPTURE(kind);
        const bool used = std::any_of(rules.begin(), rules.end(),
                                      [&](const OpenRule& rule) { return rule.kind == kind; });
        CHECK(used == (kind != "person"));
    }
}

TEST_CASE("open rules: what is wrong is named by file, line and rule") {
    CHECK(complaint(fine) == "none");
    CHECK(complaint(fine + "enabled = false\nfield = \"device\"\nvalid_to = \"2026-01-01\"\n") ==
          "none");
    CHECK(complaint("") == "none");
    CHECK(complaint("\n[[rules]]\nrule = \"a\"\nkind = \"robot\"\n") ==
          "rules.toml:4: rule \"a\": kind must be one of \"person\", \"privacy\", \"prefetch\", "
          "\"proxy\", \"scanner\"");
    CHECK(complaint("[[rules]]\nform = \"regex\"\n") ==
          "rules.toml:2: rule 1: form must be one of \"exact\", \"prefix\", \"suffix\", "
          "\"contains\"");
    CHECK(complaint("[[rules]]\nrule = \"a\"\npattern = \"\"\n") ==
          "rules.toml:3: rule \"a\": pattern must be a text that is not empty");
    CHECK(complaint("[[rules]]\nrule = \"a\"\nmatch = \"exact\"\n") ==
          "rules.toml:3: rule \"a\" has no key \"match\"");
    CHECK(complaint("[[rules]]\nrule = \"a\"\nkind = \"proxy\"\n") ==
          "rules.toml:1: rule \"a\" needs a key \"form\"");
    CHECK(complaint(fine + fine) == "rules.toml:7: there is another rule \"a\" above");
    CHECK(complaint(fine + "valid_from = 2026-01-01T12:00:00\n") ==
          "rules.toml:7: rule \"a\": valid_from must be a day, such as 2021-09-20, without a time "
          "of day");
    CHECK(complaint(fine + "valid_from = 2026-01-01\nvalid_to = 2026-01-01\n") ==
          "rules.toml:1: rule \"a\" ends before it begins");
    CHECK(complaint(fine + "enabled = 1\n") ==
          "rules.toml:7: rule \"a\": enabled must be true or false");
    CHECK(complaint("rule = 1\n") ==
          "rules.toml:1: \"rule\" is unknown; each rule begins with [[rules]]");
    CHECK(complaint("rules = [1]\n") == "rules.toml:1: rule 1 must be a table");
    CHECK(complaint("[[rules]\n").starts_with("rules.toml:1: "));
}

TEST_CASE("open rules: the configuration names a file beside it") {
    const test::TemporaryDirectory directory;
    directory.file("rules.toml", fine);
    const Config config =
        read_config(directory.file("config.toml", "[mirror]\nopen_rules = \"rules.toml\"\n"));
    CHECK(config.mirror.open_rules == directory.path() / "rules.toml");
    REQUIRE(config.open_rules.has_value());
    CHECK(config.open_rules->size() == 1);
    CHECK_FALSE(
        read_config(directory.file("other.toml", "[mirror]\nopen_rules = \"\"\n")).open_rules);
    CHECK_THROWS_WITH_AS(
        read_config(directory.file("none.toml", "[mirror]\nopen_rules = \"absent.toml\"\n")),
        doctest::Contains("absent.toml: cannot be read"), UsageError);
}
