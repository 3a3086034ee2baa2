// An account, its API, a mirror and a disk in one process and in one thread, on virtual time.
#pragma once

#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include "core/sync/observer.hpp"
#include "core/sync/session.hpp"
#include "storage/erasure_rule.hpp"
#include "tests/simulator/account.hpp"
#include "tests/simulator/behaviour.hpp"
#include "tests/soak/model_api.hpp"
#include "tests/soak/virtual_clock.hpp"
#include "tests/support/faulty_disk.hpp"

namespace mirror::soak {

/// Rows of which no call can tell any more, and IDs that two records have.
struct Excuses {
    std::set<std::int64_t> expired;  ///< dropped for their age: the file may have them, not removed
    std::set<std::int64_t> unknown;  ///< dropped while something else was wrong with them
    std::set<std::int64_t> doubled;
    std::set<std::int64_t> erased;  ///< at the request of people: the file has none of them
    std::size_t malformed_expired = 0;
};

/// Something that must never happen; what() describes it for people.
class Broken : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The real session, the real storage, the simulator's replies. What goes wrong is for its owner
/// to say: through `trouble`, through the FaultyDisk, through the clock.
class World final : private sync::Observer {
  public:
    World(std::filesystem::path file, Instant now, const std::string& zone);

    test::FaultyDisk& disk = test::FaultyDisk::instance();
    simulator::Account account;
    simulator::Behaviour behaviour;
    sync::Settings settings;
    Privacy privacy{};  ///< as it is configured
    VirtualClock clock;

    /// See ModelApi.
    std::function<Trouble(const simulator::Request&)> trouble;
    std::function<void()> on_arrival;
    std::optional<ReplyLimit> reply_limit;
    /// How long the store takes for a call.
    std::function<std::chrono::milliseconds()> store_takes;

    /// Called with all that sessions and the API say; may be empty.
    std::function<void(const std::string&)> tell;

    /// What a session is to do.
    using Command = std::function<boost::asio::awaitable<void>(sync::Session&)>;

    // Each opens the file, works, and closes it, as one run of the program does. Throw what ends a
    // run, and Broken if it does not end.
    sync::Outcome sync();
    sync::Outcome backfill(const sync::BackfillRequest& request);
    sync::AuditReport audit(const sync::AuditRequest& request);
    sync::StatisticsReport audit_statistics(const sync::StatisticsRequest& request);
    /// Throws DatabaseError.
    void erase(const storage::ErasureRule& rule);
    /// `run`, stopped after so long.
    void follow(Seconds duration);
    /// The same, and other commands beside it, one after the other, each a process of its own.
    /// What ends `run` is thrown; what ends another is for `ended`.
    void follow_beside(Seconds duration, const std::vector<Command>& commands,
                       const std::function<void(const std::exception_ptr&)>& ended);

    const std::filesystem::path& file() const { return file_; }
    std::uint64_t requests() const { return requests_; }
    /// What sessions said, the latest last.
    const std::vector<std::string>& log() const { return log_; }

  private:
    struct Process;

    void with_session(const Command& work);
    boost::asio::awaitable<void> one_by_one(
        boost::asio::io_context& loop, const std::vector<Command>& commands, Seconds pause,
        const std::function<void(const std::exception_ptr&)>& ended);
    void drive(boost::asio::io_context& loop, const std::function<bool()>& done,
               std::optional<Instant> stop_at, boost::asio::cancellation_signal& stop);

    void progress(const sync::Progress&) override {}
    void debug(const std::string& line) override { say(line); }
    void info(const std::string& line) override { keep(line); }
    void warning(const std::string& line) override { keep(line); }
    void say(const std::string& line) const {
        if (tell) {
            tell("    " + line);
        }
    }
    void keep(const std::string& line) {
        log_.push_back(line);
        say(line);
    }

    std::filesystem::path file_;
    std::uint64_t requests_ = 0;
    std::vector<std::string> log_;
};

/// False if nothing was made yet, or if that was interrupted: then the journal beside it can undo
/// it, which needs write access.
bool is_made(const std::filesystem::path& file);

/// What the file holds must be sound in itself, whatever has happened. Throws Broken. `now`:
/// coverage does not end later.
void expect_sound(const std::filesystem::path& file, Instant now);

/// The covered periods of an age, as a reader sees them.
WindowSet covered(const std::filesystem::path& file, std::int64_t age = 0);

/// Throws Broken if a second is covered and the file lacks a row of it that has been there from
/// then on. `rows`: IDs and when they were logged.
void expect_covered_rows(const std::filesystem::path& file,
                         const std::map<std::int64_t, Instant>& rows);

/// What a mirror is to hold: the rows that the API shows now, as it shows them.
std::vector<simulator::TrueRow> shown_rows(const World& world);

/// The rows of the file that the API still shows, ascending by ID.
std::vector<simulator::TrueRow> rows_of(const std::filesystem::path& file);

/// Throws Broken unless the file's rows are those that the API shows now, cell by cell, and the
/// number of rejects is right, too.
void expect_exact(const World& world, const Excuses& excuses = {});

}  // namespace mirror::soak
