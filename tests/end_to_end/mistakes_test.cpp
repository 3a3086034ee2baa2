// What the program answers to common mistakes: docs/mistakes.md, as it stands there. With
// COPERNICA_MIRROR_WRITE_MISTAKES set, the document is written anew, to be read and committed.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/end_to_end/scene.hpp"
#include "tests/paths.hpp"

using namespace mirror;
using namespace mirror::test;

namespace {

const std::string a_token = "0f8e7d6c5b4a39281706f5e4d3c2b1a0";

struct Mistake {
    std::string what;     ///< for people
    std::string command;  ///< behind "copernica-mirror", as it is typed
    /// What there is beforehand, besides an account, a configuration `config.toml` and a token.
    std::function<void(Scene&)> before;
    int code = 2;
    const char* says;  ///< at least
};

std::vector<std::string> words_of(const std::string& command) {
    std::vector<std::string> words;
    bool quoted = false;
    words.emplace_back();
    for (const char character : command) {
        if (character == '"') {
            quoted = !quoted;
        } else if (character == ' ' && !quoted) {
            words.emplace_back();
        } else {
            words.back() += character;
        }
    }
    return words;
}

void write(const std::filesystem::path& file, const std::string& text) {
    std::ofstream(file, std::ios::binary) << text;
    std::filesystem::permissions(file, std::filesystem::perms::owner_read);
}

// A file `token` instead of the environment.
std::function<void(Scene&)> token_file(const std::string& content) {
    return [content](Scene& scene) {
        scene.token.clear();
        write(scene.directory() / "token", content);
    };
}

std::function<void(Scene&)> configuration(const std::string& table, const std::string& line) {
    return [table, line](Scene& scene) { scene.configure(table, line + "\n"); };
}

void synced(Scene& scene) {
    populate(scene, 100);
    REQUIRE(scene.run({"sync"}).code == 0);
}

std::vector<Mistake> mistakes() {
    const std::function<void(Scene&)> nothing;
    const auto no_token = [](Scene& scene) { scene.token.clear(); };
    return {
        {"no command", "", nothing, 2, "a command is required"},
        {"a mistyped command", "synch", nothing, 2, "did you mean sync?"},
        {"help on a command that does not exist", "help backfil", nothing, 2,
         "did you mean backfill?"},
        {"a mistyped option", "backfill --form 2024-01-01", nothing, 2, "did you mean --from?"},
        {"an option of another command", "sync --force", nothing, 2, "is an option of backfill"},
        {"an option of some commands without one", "--json", nothing, 2, "name the command"},
        {"an option without its value", "backfill --from", nothing, 2, "needs a value"},
        {"two commands", "sync status", nothing, 2, "does not take"},
        {"a period without a begin", "backfill", nothing, 2, "--from is required"},
        {"a month that does not exist", "backfill --from 2024-13-01", nothing, 2, "is not a time"},
        {"a word that is not a time", "backfill --from tomorrow", nothing, 2, "today, yesterday"},
        {"a period in the future", "backfill --from 2099-01-01", nothing, 2, "is in the future"},
        {"a period that ends before it begins", "backfill --from 2024-01-02 --to 2024-01-01",
         nothing, 2, "must be before"},
        {"--prune alone", "audit --prune", nothing, 2, "--repair"},
        {"--statistics with --prune", "audit --statistics --prune", nothing, 2,
         "--statistics does not go with --prune"},
        {"statistics of mailings alone", "audit --statistics --stream mailings", nothing, 2,
         "name another one"},
        {"a duration without a unit", "status --max-lag 10", nothing, 2, "s, m, h or d"},
        {"a level that does not exist", "sync --log-level loud", nothing, 2, "is not one of"},
        {"metrics of run in a file", "run --metrics-file run.prom", nothing, 2, "[metrics] listen"},
        {"metrics into a directory that does not exist", "sync --metrics-file missing/sync.prom",
         nothing, 2, "name a directory"},
        {"metrics in place of another file", "sync --metrics-file config.toml", nothing, 2,
         "name another file"},
        {"metrics in place of the mirror's log", "sync --metrics-file impressions.db-wal", nothing,
         2, "it belongs to the mirror"},

        {"a token as an option", "sync --token " + a_token, nothing, 2, "--token-file"},
        {"a token behind a letter", "sync -t" + a_token, nothing, 2, "--token-file"},
        {"a token behind a colon", "sync --auth:" + a_token, nothing, 2, "--token-file"},
        {"a token as an argument", "sync " + a_token, nothing, 2, "--token-file"},
        {"a token in place of its file", "sync --token-file " + a_token, nothing, 2,
         "looks like a token itself"},
        {"no token", "sync", no_token, 2, "no access token"},
        {"a token file that does not exist", "sync --token-file token", no_token, 2,
         "cannot be read"},
        {"an empty token file", "sync --token-file token", token_file("\n"), 2, "is empty"},
        {"a token with the name of its header", "sync --token-file token",
         token_file("Bearer " + a_token), 2, "name of a header"},
        {"a token in quotes", "sync --token-file token", token_file("\"" + a_token + "\"\n"), 2,
         "quotes"},
        {"a token file saved by a Windows editor", "sync --token-file token",
         token_file("\xef\xbb\xbf" + a_token + "\r\n"), 2, "byte order mark"},
        {"a token that the API does not know", "sync", [](Scene& scene) { scene.token = a_token; },
         3, "token"},

        {"a configuration that does not exist", "sync -c other.toml", nothing, 2, "cannot be read"},
        {"a directory as configuration", "sync -c .", nothing, 2, "is a directory"},
        {"a mistyped key", "sync", configuration("mirror", "databse = \"a.db\""), 2,
         "did you mean database?"},
        {"a mistyped table", "sync", configuration("miror", "database = \"a.db\""), 2,
         "did you mean mirror?"},
        {"a number in quotes", "sync", configuration("api", "page_size = \"1000\""), 2,
         "a whole number from 1 to 1000"},
        {"a rule of opens with an unknown kind", "sync",
         [](Scene& scene) {
             scene.configure("mirror", "open_rules = \"rules.toml\"\n");
             write(scene.directory() / "rules.toml",
                   "[[rules]]\nrule = \"our-scanner\"\nkind = \"robot\"\n");
         },
         2, "rules.toml:3: rule \"our-scanner\": kind must be one of"},
        {"a year to settle", "sync", configuration("mirror", "settle = \"400d\""), 2, "to \"1d\""},
        {"a start in the future", "sync", configuration("mirror", "start = \"2099-01-01\""), 2,
         "is in the future"},
        {"rows that are to go before they are read for the last time", "sync",
         configuration("privacy", "keep = \"5d\""), 2, "shorter than the last of"},
        {"something else than all, the network or nothing of an address", "sync",
         configuration("privacy", "ip = \"/24\""), 2, "must be one of"},
        {"a time zone that does not exist", "sync",
         configuration("api", "time_zone = \"Europe/Amsterdm\""), 2, "time zone"},
        {"plain HTTP to another machine", "sync --api-url http://api.copernica.com/v3", nothing, 2,
         "url"},

        {"a database in memory", "sync -d :memory:", nothing, 2, "must be a file"},
        {"a database in a directory that does not exist", "sync -d missing/opens.db", nothing, 4,
         "mkdir -p"},
        {"a tilde that no shell has seen", "sync -d \"~/opens.db\"", nothing, 4,
         "write the whole path"},
        {"a link that leads nowhere", "sync -d link.db",
         [](Scene& scene) {
             std::filesystem::create_symlink("elsewhere.db", scene.directory() / "link.db");
         },
         4, "is a link to elsewhere.db"},
        {"a directory as database", "sync -d .", nothing, 4, "not a regular file"},
        {"a text file as database", "sync -d notes.txt",
         [](Scene& scene) { std::ofstream(scene.directory() / "notes.txt") << "Dear diary\n"; }, 4,
         "not an SQLite file"},
        {"somebody else's database", "sync -d other.db",
         [](Scene& scene) {
             SQLite::Database other((scene.directory() / "other.db").string(),
                                    SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
             other.exec("CREATE TABLE invoices (id INTEGER)");
         },
         4, "not one of this program"},
        {"status before the first sync", "status", nothing, 4, "sync"},
        {"status of a tilde that no shell has seen", "status -d \"~/opens.db\"", nothing, 4,
         "write the whole path"},
        {"status in a directory that does not exist", "status -d missing/opens.db", nothing, 4,
         "name another file"},
        {"an audit before the first sync", "audit", nothing, 4, "sync"},
        {"another zone than that of the file", "sync",
         [](Scene& scene) {
             synced(scene);
             scene.configure("api", "time_zone = \"America/New_York\"\n");
         },
         2, "Europe/Amsterdam"},
        {"a report in place of another file", "report -o config.toml", synced, 2,
         "is not an HTML page"},
        {"a copy onto the mirror itself", "snapshot impressions.db", synced, 4,
         "it is the mirror itself"},
        {"a copy into a directory that does not exist", "snapshot missing/copy.db", synced, 4,
         "create it"},
        {"a copy onto the configuration", "snapshot config.toml", synced, 4,
         "not a copy of a mirror"},
        {"nothing to erase by", "erase", nothing, 2, "at least one of"},
        {"erasing what is still to come", "erase --before 2099-01-01", synced, 2, "in the future"},
        {"erasing an address that is not one", "erase --ip 192.0.2", synced, 2,
         "not an IP address"},
        {"erasing in a file that is not there", "erase --profile 13453", nothing, 4, "not found"},
        {"monitoring a mirror that is behind", "status --max-lag 0s", synced, 5,
         "more than --max-lag"},
        {"nobody at the address of the API", "sync --api-url http://127.0.0.1:1/v3",
         configuration("mirror", "give_up_after = \"0s\""), 1, "copernica-mirror check"},
    };
}

Run answer(Scene& scene, const Mistake& mistake) {
    ProcessOptions options;
    std::ofstream(scene.directory() / "config.toml", std::ios::app) << "";
    if (!mistake.command.empty()) {
        options.arguments = words_of(mistake.command);
    }
    if (mistake.command.find("-c ") == std::string::npos) {
        options.arguments.insert(options.arguments.begin(), {"-c", "config.toml"});
    }
    if (!scene.token.empty()) {
        options.environment["COPERNICA_ACCESS_TOKEN"] = scene.token;
    }
    options.directory = scene.directory();
    Process process(program_path, options);
    Run run;
    run.code = process.wait();
    run.out = process.out();
    run.err = process.err();
    return run;
}

std::string replaced(const std::string& text, const std::string& pattern, const char* by) {
    return std::regex_replace(text, std::regex(pattern), by);
}

// Without what differs from run to run.
std::string lasting(std::string text, const Scene& scene) {
    const std::string directory = std::filesystem::canonical(scene.directory()).string();
    for (auto at = text.find(directory); at != std::string::npos; at = text.find(directory)) {
        text.replace(at, directory.size(), "/srv/mirror");
    }
    text = replaced(text, "(^|\n)[0-9-]{10}T[0-9:]{8}Z ", "$1");
    text = replaced(text, "it is [0-9-]{10} [0-9:]{8} in", "it is 2026-11-28 12:00:00 in");
    text =
        replaced(text, "last success  [0-9-]{10} [0-9:]{8}", "last success  2026-11-28 12:00:00");
    text = replaced(text, "[0-9]+ s behind", "5 s behind");
    text = replaced(text, "month, about [0-9,]+ in all", "month, about 60 in all");
    return replaced(text, "127\\.0\\.0\\.1:[0-9]{2,5}", "127.0.0.1:PORT");
}

std::string entry(const Mistake& mistake, const Run& run, const Scene& scene) {
    std::string text =
        fmt::format("{} (exit code {}):\n\n```\n$ copernica-mirror{}{}\n", mistake.what, run.code,
                    mistake.command.empty() ? "" : " ", mistake.command);
    text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
    return text + lasting(run.out + run.err, scene) + "```\n\n";
}

constexpr const char* heading =
    "# Mistakes\n"
    "\n"
    "What the program answers to common mistakes. `tests/end_to_end/mistakes_test.cpp` makes each "
    "of them\n"
    "with the real program, and compares its answers with this page.\n"
    "\n";

}  // namespace

TEST_CASE("mistakes: the answer to each says what to do, and is the one in the documents") {
    std::string text = heading;
    const std::vector<Mistake> all = mistakes();
    CHECK(all.size() >= 40);
    for (const Mistake& mistake : all) {
        CAPTURE(mistake.what);
        Scene scene;
        scene.configure("api", fmt::format("url = \"{}\"\n", scene.api_url));
        if (mistake.before) {
            mistake.before(scene);
        }
        const Run run = answer(scene, mistake);
        CAPTURE(run.err);
        CHECK(run.code == mistake.code);
        CHECK((run.out + run.err).find(mistake.says) != std::string::npos);
        CHECK((run.out + run.err).find(a_token) == std::string::npos);
        text += entry(mistake, run, scene);
    }
    text.pop_back();
    const auto document = std::filesystem::path(project_root) / "docs" / "mistakes.md";
    if (std::getenv("COPERNICA_MIRROR_WRITE_MISTAKES") != nullptr) {
        std::ofstream(document) << text;
    }
    CHECK(bytes_of(document) == text);
}
