#include "tests/end_to_end/scene.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <unistd.h>
#include <variant>

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/time/text.hpp"
#include "tests/paths.hpp"
#include "tests/simulator/generate.hpp"
#include "tests/simulator/story.hpp"

namespace mirror::test {
namespace {

std::optional<std::string> text(const SQLite::Column& column) {
    if (column.isNull()) {
        return std::nullopt;
    }
    return column.getString();
}

Run ended(Process& process) {
    Run run;
    run.code = process.wait();
    run.out = process.out();
    run.err = process.err();
    return run;
}

std::string shown(const simulator::Values& row) {
    std::string words;
    for (const simulator::Value& value : row) {
        if (const auto* const number = std::get_if<std::int64_t>(&value)) {
            words += fmt::format("{}, ", *number);
        } else if (const auto* const written = std::get_if<std::string>(&value)) {
            words += fmt::format("\"{}\", ", *written);
        } else {
            words += "NULL, ";
        }
    }
    return words;
}

simulator::Value value_of(const SQLite::Column& column) {
    if (column.isInteger()) {
        return column.getInt64();
    }
    return column.isNull() ? simulator::Value() : simulator::Value(column.getString());
}

// The rows of a stream's view, ascending by ID, read-only, as any SQL tool reads them.
std::vector<simulator::Values> values_in(const std::filesystem::path& database,
                                         simulator::StreamId stream) {
    const SQLite::Database file(database.string(), SQLite::OPEN_READONLY);
    const std::vector<std::string> columns = simulator::columns_of(stream);
    SQLite::Statement select(file,
                             fmt::format("SELECT {} FROM {} ORDER BY id", fmt::join(columns, ", "),
                                         simulator::facts_of(stream).name));
    std::vector<simulator::Values> rows;
    while (select.executeStep()) {
        simulator::Values& row = rows.emplace_back();
        for (std::size_t i = 0; i < columns.size(); ++i) {
            row.push_back(value_of(select.getColumn(static_cast<int>(i))));
        }
    }
    return rows;
}

std::vector<StreamRow> by_name(std::vector<simulator::Values> all, simulator::StreamId stream) {
    const std::vector<std::string> columns = simulator::columns_of(stream);
    const auto place = [&columns](std::string_view column) {
        return static_cast<std::size_t>(std::find(columns.begin(), columns.end(), column) -
                                        columns.begin());
    };
    const std::size_t id = place("id");
    const std::size_t timestamp = place("timestamp");
    std::vector<StreamRow> rows;
    for (simulator::Values& values : all) {
        StreamRow& row = rows.emplace_back();
        row.id = std::get<std::int64_t>(values.at(id));
        row.timestamp = std::get<std::string>(values.at(timestamp));
        row.values = std::move(values);
    }
    return rows;
}

simulator::StreamId stream_of_the_test() {
    const char* const name = std::getenv("STREAM");
    return name == nullptr ? simulator::StreamId::impressions
                           : simulator::stream_named(name).value();
}

}  // namespace

Scene::Scene(simulator::Behaviour behaviour, simulator::ServerOptions options,
             const std::string& server_zone)
    : stream(stream_of_the_test()),
      server_options_(std::move(options)),
      account(server_zone),
      server(account, std::move(behaviour), server_options_) {
    api_url = server.url();
    account.choose(stream);
    if (stream != simulator::StreamId::impressions) {
        configure("mirror", "streams = [\"" + view() + "\"]\n");
    }
    // Tests are about results, so the rate has no limit.
    configure("api", "requests_per_second = 100000\n");
    const char* const version = std::getenv("API_VERSION");
    if (version != nullptr && std::string(version) == "4") {
        // What is harder: tokens have to be made.
        server.change([](simulator::Behaviour& all) { all.version4.takes_api_token = false; });
        use_version_4();
    }
}

void Scene::use_version_4() {
    api_url = server.url("127.0.0.1", "/v4");
    if (token_service) {
        return;
    }
    simulator::Behaviour behaviour = server.behaviour();
    behaviour.service = simulator::Service::authentication;
    token_service =
        std::make_unique<simulator::Server>(account, std::move(behaviour), server_options_);
    token_service->clock().follow([this] { return server.clock().now(); });
    configure("api", fmt::format("auth_url = \"{}\"\n", token_service->url("127.0.0.1", "/")));
}

void Scene::change_both(const std::function<void(simulator::Behaviour&)>& edit) {
    server.change(edit);
    token_service->change(edit);
}

void Scene::preload(const std::string& library) {
    const std::string file = std::string(build_root) + "/tests/end_to_end/" + library + ".so";
    REQUIRE(std::filesystem::exists(file));
    environment["LD_PRELOAD"] = file;
    // AddressSanitizer insists on being the first library, unless an option turns that off.
    const char* const options = std::getenv("ASAN_OPTIONS");
    environment["ASAN_OPTIONS"] =
        std::string(options == nullptr ? "" : options) + ":verify_asan_link_order=0";
}

void Scene::configure(const std::string& table, const std::string& lines) {
    const auto found = std::find_if(tables_.begin(), tables_.end(),
                                    [&](const auto& held) { return held.first == table; });
    if (found == tables_.end()) {
        tables_.emplace_back(table, lines);
    } else {
        found->second += lines;
    }
    write_configuration();
}

void Scene::reconfigure(const std::string& table, const std::string& line, const std::string& by) {
    for (auto& [name, content] : tables_) {
        const auto at = content.find(line + "\n");
        if (name == table && at != std::string::npos) {
            content.replace(at, line.size(), by);
            write_configuration();
            return;
        }
    }
    throw std::logic_error("no such line: " + line);
}

void Scene::write_configuration() const {
    std::ofstream file(directory_.path() / "config.toml");
    for (const auto& [name, content] : tables_) {
        file << '[' << name << "]\n" << content;
    }
}

ProcessOptions Scene::options_for(const std::vector<std::string>& arguments) const {
    ProcessOptions options;
    options.arguments = {"--config", (directory() / "config.toml").string(), "--api-url", api_url};
    options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
    if (!token.empty()) {
        options.environment["COPERNICA_ACCESS_TOKEN"] = token;
    }
    options.environment.insert(environment.begin(), environment.end());
    options.standard_output = standard_output;
    options.standard_error = standard_error;
    options.directory = directory();
    return options;
}

std::unique_ptr<Process> Scene::start(const std::vector<std::string>& arguments) {
    return std::make_unique<Process>(program_path, options_for(arguments));
}

Run Scene::run(const std::vector<std::string>& arguments) {
    return ended(*start(arguments));
}

Run Scene::run_unprivileged(const std::vector<std::string>& arguments) {
    using std::filesystem::perms;
    // Where the program was built, strangers may not be let in.
    const auto program = directory() / "copernica-mirror";
    std::filesystem::copy_file(program_path, program,
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::permissions(
        directory(), perms::owner_read | perms::owner_exec | perms::group_read | perms::group_exec);
    ProcessOptions options = options_for(arguments);
    if (geteuid() != 0) {
        Process process(program, options);
        return ended(process);
    }
    options.arguments.insert(options.arguments.begin(),
                             {"--reuid=65534", fmt::format("--regid={}", getegid()),
                              "--clear-groups", program.string()});
    Process process("/usr/bin/setpriv", options);
    return ended(process);
}

std::vector<StreamRow> Scene::rows() const {
    return by_name(values_in(database(), stream), stream);
}

std::vector<StreamRow> Scene::truth() const {
    return by_name(server.truth(stream), stream);
}

std::string Scene::table() const {
    constexpr std::array<const char*, simulator::stream_count> tables{
        "impression_rows", "click_rows",       "delivery_rows", "error_rows",
        "abuse_rows",      "unsubscribe_rows", "mailing_rows"};
    return tables.at(simulator::index_of(stream));
}

std::string Scene::difference(simulator::StreamId of) const {
    const std::vector<simulator::Values> truth = server.truth(of);
    const std::vector<simulator::Values> held = values_in(database(), of);
    if (truth == held) {
        return {};
    }
    std::string words = fmt::format("of {} the API shows {} rows, the file has {}",
                                    simulator::facts_of(of).name, truth.size(), held.size());
    const auto [shown_row, held_row] =
        std::mismatch(truth.begin(), truth.end(), held.begin(), held.end());
    if (shown_row != truth.end()) {
        words += "\nAPI:  " + shown(*shown_row);
    }
    if (held_row != held.end()) {
        words += "\nfile: " + shown(*held_row);
    }
    return words;
}

std::string Scene::complaint(const Run& run) const {
    std::string words;
    if (run.code != 0) {
        words = fmt::format("exit code {}\n", run.code);
    }
    words += std::filesystem::exists(database()) ? difference() : "the file is missing";
    if (!words.empty()) {
        words += fmt::format("\nafter {} requests it said:\n{}{}", requests(), run.err, run.out);
    }
    return words;
}

std::string Scene::query(const std::string& sql) const {
    const SQLite::Database file(database().string(), SQLite::OPEN_READONLY);
    SQLite::Statement select(file, sql);
    if (!select.executeStep()) {
        return "no row";
    }
    return text(select.getColumn(0)).value_or("NULL");
}

void Scene::meddle(const std::string& sql) const {
    constexpr int longest_wait = 60'000;  // milliseconds
    SQLite::Database(database().string(), SQLite::OPEN_READWRITE, longest_wait).exec(sql);
}

Instant utc(const std::string& text) {
    return Instant(parse_local(text).value().time_since_epoch());
}

Instant present() {
    return utc("2026-11-23 16:00:00");
}

void populate(Scene& scene, std::uint64_t rows) {
    scene.server.clock().stand_at(present());
    simulator::Generation generation;
    generation.rows = rows;
    generation.rows_per_mailing = 300;  // so that they spread over the period
    generation.period = {utc("2026-06-01 00:00:00"), present() - Seconds(3600)};
    simulator::generate(scene.account, generation);
}

void demonstrate(Scene& scene, std::uint64_t rows) {
    const auto at = [&](const char* local) {
        return scene.account.zone().earliest(parse_local(local).value());
    };
    scene.server.clock().stand_at(at("2026-11-23 13:00:00"));
    simulator::Generation generation;
    generation.rows = rows;
    generation.rows_per_mailing = rows / 4;
    generation.agents = 16;
    generation.period = {at("2026-06-01 00:00:00"), at("2026-11-23 12:00:00")};
    simulator::generate(scene.account, generation);
    simulator::Story story;
    story.seed = generation.seed;
    story.end = generation.period.end;
    simulator::tell(scene.account, story);
}

std::string bytes_of(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

simulator::Row row(std::int64_t id, Instant at) {
    simulator::Row row;
    row.id = id;
    row.at = at;
    row.mailing = 400 + id % 7;
    row.ip = fmt::format("192.0.2.{}", id % 250);
    row.useragent = fmt::format("Mozilla/5.0 (X11; Linux x86_64; rv:{}.0)", id % 11);
    row.device = "desktop";
    row.destination = 100 + id % 13;
    row.profile = 13000 + id % 1'000'000'000;  // IDs go up to 2^63-1
    return row;
}

void complete(simulator::Row& row) {
    row.profile = 4711;
    row.destinations = 4711;  // of a mailing, which has no profile
}

}  // namespace mirror::test
