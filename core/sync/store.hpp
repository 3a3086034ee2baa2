// What the mirror asks of a storage. The storage implements it; core knows no SQL.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "core/api/api.hpp"
#include "core/impression/impression.hpp"
#include "core/time/window.hpp"

namespace mirror::sync {

/// A window that was read whole: everything that one transaction makes of it.
struct WholeWindow {
    Window window;  ///< what was asked; its ends are aligned (see Zone::align_down)
    Window proven;  ///< the part of it that becomes covered; may be empty
    /// Every record once (by ID). A page may hold rows from just outside the window: they are
    /// true, too.
    std::vector<Page> pages;
    /// The server's clock when the window was counted, UTC.
    Instant read_at{};
};

/// What a transaction changed.
struct Written {
    std::uint64_t inserted = 0;
    std::uint64_t updated = 0;
    std::uint64_t unchanged = 0;
    std::uint64_t rejected = 0;  ///< rejects of these windows, known before or not

    Written& operator+=(const Written& other) {
        inserted += other.inserted;
        updated += other.updated;
        unchanged += other.unchanged;
        rejected += other.rejected;
        return *this;
    }
};

/// A period that this run could not complete, and why.
struct UnreadWindow {
    Window window;
    std::string reason;
};

/// What the `runs` table keeps of one run of the program.
struct RunRecord {
    std::string kind;   ///< "sync", "backfill", …: the command
    Window period;      ///< what it was asked to complete
    Instant started{};  ///< UTC
    std::optional<Instant> ended;
    std::uint64_t requests = 0;
    Written written;
    std::string outcome;  ///< "running", "done", "incomplete", "failed: …", "stopped"
    std::vector<UnreadWindow> unread;
};

/// The newest rows in the file: where a window must begin so that a reply without rows
/// contradicts what is known.
struct NewestRows {
    LocalTime time{};        ///< the greatest timestamp before the bound asked for
    std::uint64_t rows = 0;  ///< how many rows have it
};

/// Every call throws storage errors (see storage/errors.hpp) that end the run: none is worth
/// another try by the caller. Calls may be made one after another without waiting; they are
/// carried out in order. They are not cancelled: a transaction at hand is finished.
class Store {
  public:
    virtual ~Store() = default;

    /// The file's coverage of an age, in seconds, as it is now.
    virtual boost::asio::awaitable<WindowSet> coverage(std::int64_t age) = 0;

    /// Rows, rejects and coverage (age 0) of whole windows, in one transaction. `server_now` is
    /// the server's clock, UTC.
    virtual boost::asio::awaitable<Written> commit(std::vector<WholeWindow> windows,
                                                   Instant server_now) = 0;

    /// Takes coverage of every age away.
    virtual boost::asio::awaitable<void> uncover(WindowSet windows) = 0;

    /// Rows and rejects of the local period [begin, end] with both ends, not counting rows that
    /// were removed.
    virtual boost::asio::awaitable<std::uint64_t> count(LocalTime begin, LocalTime end) = 0;

    virtual boost::asio::awaitable<std::optional<NewestRows>> newest_rows(LocalTime before) = 0;

    /// Starts, then rewrites, this process's row in `runs`.
    virtual boost::asio::awaitable<void> record_run(RunRecord run) = 0;

    /// Writes the account at first use. Throws when the file belongs to another one.
    virtual boost::asio::awaitable<void> claim_account(std::string id, std::string name) = 0;

    /// A fact of the table `mirror`; absent where it was never set.
    virtual boost::asio::awaitable<std::optional<std::string>> fact(std::string key) = 0;
    virtual boost::asio::awaitable<void> set_fact(std::string key, std::string value) = 0;
};

}  // namespace mirror::sync
