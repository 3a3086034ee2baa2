// A simulated account, a server, a directory with a configuration, and the real program in it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "tests/end_to_end/process.hpp"
#include "tests/simulator/account.hpp"
#include "tests/simulator/request.hpp"
#include "tests/simulator/server.hpp"
#include "tests/simulator/streams.hpp"
#include "tests/support/temporary_directory.hpp"

namespace mirror::test {

/// How a run of the program ended.
struct Run {
    int code = -1;
    std::string out;
    std::string err;
};

/// Decorates a test of exactness, which runs for the other streams, too: STREAM=clicks selects one.
inline const doctest::test_suite every_stream{"every stream"};

/// A row of whatever stream, as the API shows it or as the file has it.
struct StreamRow {
    std::int64_t id = 0;
    std::string timestamp;
    simulator::Values values;  ///< of all columns, these two among them
    friend bool operator==(const StreamRow&, const StreamRow&) = default;
};

class Scene {
  public:
    explicit Scene(simulator::Behaviour behaviour = {}, simulator::ServerOptions options = {},
                   const std::string& server_zone = "Europe/Amsterdam");

    /// What the test is about: the impressions, or what the variable STREAM of the environment
    /// names, so that tests that are about exactness run for each stream.
    const simulator::StreamId stream;
    /// Its view in the file.
    std::string view() const { return std::string(simulator::facts_of(stream).name); }
    /// The table below the view.
    std::string table() const;
    /// The API's call for its rows.
    simulator::Call call() const { return simulator::call_of(stream); }

    /// The program asks version 4 of the API from now on. Tests that are about exactness run on
    /// it, too: the variable API_VERSION of the environment is 4 then.
    void use_version_4();

    /// Both the API and the token service behave otherwise from now on.
    void change_both(const std::function<void(simulator::Behaviour&)>& edit);

    /// Runs `copernica-mirror ARGUMENTS` to its end.
    Run run(const std::vector<std::string>& arguments);

    /// Starts it.
    std::unique_ptr<Process> start(const std::vector<std::string>& arguments);

    /// Runs it as a user who owns nothing, in the files' group; the directory is one that its
    /// group may look into, but not write to.
    Run run_unprivileged(const std::vector<std::string>& arguments);

    /// From now on, the program runs with a library of these tests loaded first: a fault of the
    /// system that is hard to bring about.
    void preload(const std::string& library);

    /// The configuration that the program gets; more lines for a table.
    void configure(const std::string& table, const std::string& lines);

    /// A line of it that configure() has given becomes another one.
    void reconfigure(const std::string& table, const std::string& line, const std::string& by);

    const std::filesystem::path& directory() const { return directory_.path(); }
    std::filesystem::path database() const { return directory_.path() / "impressions.db"; }

    /// The rows of the view, ascending by ID, read-only, as any SQL tool reads them.
    std::vector<StreamRow> rows() const;

    /// The rows that the API shows now, ascending by ID.
    std::vector<StreamRow> truth() const;

    /// Empty if the file's rows are the truth, cell by cell; else what differs, in words.
    std::string difference() const { return difference(stream); }
    std::string difference(simulator::StreamId of) const;

    /// Empty if the run ended with 0 and the file's rows are the truth; else what went wrong.
    std::string complaint(const Run& run) const;

    /// One value of one row of a query, as text; "NULL" for NULL.
    std::string query(const std::string& sql) const;
    /// Changes the file as another program would; waits while ours writes.
    void meddle(const std::string& sql) const;

    /// The requests that the server has seen since start_over().
    std::uint64_t requests() const { return server.counters().requests; }
    /// The same of a single run, less the one that finds out that version 4 does not take the
    /// account's token itself.
    std::uint64_t requests_with_token() const { return requests() - (token_service ? 1 : 0); }

    /// What the program is given besides the configuration.
    std::string token = "simulated-token";
    std::map<std::string, std::string> environment;  ///< more variables
    std::filesystem::path standard_output;           ///< instead of a file: Run::out is empty then
    std::filesystem::path standard_error;            ///< the same of Run::err
    std::string api_url;

  private:
    void write_configuration() const;
    ProcessOptions options_for(const std::vector<std::string>& arguments) const;

    simulator::ServerOptions server_options_;
    TemporaryDirectory directory_;
    std::vector<std::pair<std::string, std::string>> tables_;

  public:
    // Last: their threads end before what they may use is gone.
    simulator::Account account;
    simulator::Server server;
    /// Of version 4: makes its tokens. Null before use_version_4().
    std::unique_ptr<simulator::Server> token_service;
};

/// "YYYY-MM-DD HH:MM:SS", read as UTC.
Instant utc(const std::string& text);

/// Where populate() stops the server's clock.
Instant present();

/// Half a year of mailings, up to an hour before present(). The same rows each time.
void populate(Scene& scene, std::uint64_t rows = 6000);

/// The account of packaging/quickstart, with all streams; its clock stands an hour after the last
/// row. `rows`: impressions.
void demonstrate(Scene& scene, std::uint64_t rows = 20'000);

/// All of a file's bytes; empty if there is none.
std::string bytes_of(const std::filesystem::path& file);

/// A row with believable fields.
simulator::Row row(std::int64_t id, Instant at);

/// Changes a row as one that is completed later, whatever its stream.
void complete(simulator::Row& row);

}  // namespace mirror::test
