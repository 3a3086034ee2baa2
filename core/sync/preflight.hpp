// Before any window is read: whose token is it, whose file, what time is it, does the zone fit?
#pragma once

#include <boost/asio/awaitable.hpp>

#include "core/sync/run_context.hpp"
#include "core/time/instant.hpp"

namespace mirror::sync {

class Preflight {
  public:
    explicit Preflight(RunContext& context) : context_(context) {}

    /// Asks `identity`, claims the file for the account, settles which time it is, cuts coverage
    /// back to it, checks the zone, and a sample after a change of version. Throws what ends a run.
    boost::asio::awaitable<void> run();

    /// The first part of it, which is enough if nothing of the file's coverage is to change: whose
    /// token and file it is, and which time.
    boost::asio::awaitable<void> identify();

    /// False while the file may be another account's: nothing is to be written to it then.
    bool file_is_ours() const { return file_is_ours_; }

  private:
    boost::asio::awaitable<void> know_account();
    boost::asio::awaitable<void> claim(const copernica::Identity& identity);
    boost::asio::awaitable<void> settle_clock();
    boost::asio::awaitable<void> check_zone();
    copernica::PageQuery rows_ahead() const;
    void judge_zone(const copernica::Page& page);
    boost::asio::awaitable<void> recall_page_size();
    boost::asio::awaitable<void> recall_paths();
    boost::asio::awaitable<void> uncover_other_rules();

    RunContext& context_;
    bool file_is_ours_ = true;  // as far as known
};

/// Takes back coverage that lies past the server's settled now. If it is more than clocks may
/// differ, with a warning, and with as much before it (see plan::mistaken_coverage()).
boost::asio::awaitable<void> cut_back_coverage(RunContext& context);

/// Warns of this machine's clock if it is off, once a day, whatever the number of streams and of
/// commands. To be awaited after replies: before them, the clock of the API may be an old one.
boost::asio::awaitable<void> warn_of_machine_clock(RunContext& context);

/// Since when this file follows the account: from the first command on that covers anything.
boost::asio::awaitable<Instant> following_since(RunContext& context);

}  // namespace mirror::sync
