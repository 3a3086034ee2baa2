#include "tests/soak/life.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

#include "core/copernica/errors.hpp"
#include "core/plan/horizon.hpp"
#include "core/sync/errors.hpp"
#include "core/time/text.hpp"
#include "storage/sqlite/errors.hpp"
#include "tests/soak/erasures.hpp"
#include "tests/soak/history.hpp"
#include "tests/soak/story.hpp"

namespace mirror::soak {
namespace {

using std::chrono::hours;
using test::DiskFailure;
using test::DiskFault;

constexpr std::uint64_t steps = 9;

std::string any_zone(Dice& dice) {
    if (dice.in(70)) {
        return "Europe/Amsterdam";
    }
    return dice.one_of(std::vector<std::string>{"UTC", "America/New_York", "Australia/Lord_Howe",
                                                "Asia/Kolkata", "Europe/London"});
}

// A reader that follows the file as docs/file.md advises: by changed_at, which never decreases.
class Follower {
  public:
    void look(const std::filesystem::path& file) {
        for (const auto& [id, row] : read(file, newest_)) {
            rows_[id] = row;
        }
    }
    /// `kept`: what nothing may have deleted.
    void expect_right(const std::filesystem::path& file, const std::set<std::int64_t>& kept) {
        look(file);
        const Rows all = read(file, 0);
        if (pruned_) {
            std::erase_if(rows_, [&](const auto& row) {
                return !all.contains(row.first) && !kept.contains(row.first);
            });
        }
        if (all != rows_) {
            throw Broken("who follows changed_at does not have what the file has");
        }
    }
    /// Rows were deleted: only a comparison of all rows shows which.
    void note_pruning() { pruned_ = true; }
    /// After a power cut the file may be as it was before: what was seen is not to be relied on.
    void start_over() {
        rows_.clear();
        newest_ = 0;
    }

  private:
    using Rows = std::map<std::int64_t, std::string>;

    Rows read(const std::filesystem::path& file, std::int64_t since) {
        Rows found;
        if (!is_made(file)) {
            return found;
        }
        SQLite::Database sql(file.string(), SQLite::OPEN_READONLY);
        SQLite::Statement select(sql, R"(
            SELECT id, changed_at, json_array(mailing, timestamp, ip, useragent, device,
                   destination, profile, subprofile, extra, removed_at)
            FROM impressions WHERE changed_at >= ?)");
        select.bind(1, since);
        while (select.executeStep()) {
            newest_ = std::max(newest_, select.getColumn(1).getInt64());
            found[select.getColumn(0).getInt64()] = select.getColumn(2).getString();
        }
        return found;
    }

    Rows rows_;
    std::int64_t newest_ = 0;
    bool pruned_ = false;
};

template <typename Result>
boost::asio::awaitable<void> ignore_result(boost::asio::awaitable<Result> work) {
    co_await std::move(work);
}

class Life {
  public:
    Life(std::uint64_t seed, const std::filesystem::path& directory,
         const std::function<void(const std::string&)>& tell);
    LifeCounts run();

  private:
    void step();
    void session();
    bool erase_something();
    sync::BackfillRequest any_backfill();
    World::Command any_command();
    void go_on();
    void pass(Seconds duration);
    void look_at_history();
    void end_quietly();
    void endure(const std::function<void()>& work);
    void expect_true();
    void say(const std::string& line) const;
    Excuses excuses(bool settled) const;
    Seconds horizon() const;

    Dice dice_;
    std::string zone_;
    World world_;
    Fate fate_;
    std::optional<Rows> rows_;
    History history_;
    Follower follower_;
    LifeCounts counts_;
    std::optional<Erasures> erasures_;
    bool lies_;
    bool disk_may_fail_ = false;
};

Life::Life(std::uint64_t seed, const std::filesystem::path& directory,
           const std::function<void(const std::string&)>& tell)
    : dice_(seed),
      zone_(any_zone(dice_)),
      world_(directory / "impressions.db", any_moment(dice_, Zone(zone_)), zone_),
      lies_(dice_.in(15)) {
    world_.tell = tell;
    world_.behaviour = any_behaviour(dice_);
    any_settings(world_.settings, dice_);
    fate_ = any_fate(dice_);
    // By dice of their own. A record with the ID of another one may be erased alone, which is not
    // judged here.
    if (seed % 4 == 0 && !fate_.doubles) {
        erasures_.emplace(seed);
    }
    if (dice_.in(15)) {
        world_.reply_limit =
            ReplyLimit{dice_.one_of(std::vector<std::uint64_t>{16, 30, 100, 300}), dice_.in(50)};
    }
    rows_.emplace(world_, dice_, horizon(), fate_);
    world_.settings.start = world_.settings.zone.to_local(rows_->begin()) - Seconds(7200);
    look_at_history();
    world_.on_arrival = [this] { go_on(); };
    if (dice_.in(30)) {
        world_.store_takes = [this] { return std::chrono::milliseconds(dice_.below(2000)); };
    }
    if (dice_.in(20)) {
        world_.clock.set_error(Seconds(dice_.between(-90000, 90000)));
    }
}

// What is older when it happens may stay unseen.
Seconds Life::horizon() const {
    return world_.settings.recheck_ages.back() - Seconds(60);
}

LifeCounts Life::run() {
    for (std::uint64_t i = 0; i < steps; ++i) {
        step();
        expect_true();
    }
    end_quietly();
    counts_.requests = world_.requests();
    return counts_;
}

void Life::say(const std::string& line) const {
    if (world_.tell) {
        world_.tell(format_utc(world_.clock.now()) + " " + line);
    }
}

void Life::look_at_history() {
    history_.observe(shown_rows(world_), world_.clock.now(), *rows_);
}

void Life::go_on() {
    if (rows_->go_on()) {
        look_at_history();
    }
}

// Nobody follows the account meanwhile, but it goes on.
void Life::pass(Seconds duration) {
    const Instant end = world_.clock.now() + duration;
    for (auto next = rows_->next(); next && *next < end; next = rows_->next()) {
        world_.clock.advance(std::max(*next - world_.clock.now(), Seconds(0)));
        go_on();
    }
    world_.clock.advance(std::max(end - world_.clock.now(), Seconds(0)));
}

sync::BackfillRequest Life::any_backfill() {
    const Zone& zone = world_.settings.zone;
    const Instant now = world_.clock.now();
    const auto width = static_cast<std::uint64_t>((now - rows_->begin()).count());
    sync::BackfillRequest request;
    request.from = zone.to_local(now - Seconds(static_cast<std::int64_t>(dice_.skewed(width))));
    if (dice_.in(60)) {
        request.to = request.from + Seconds(static_cast<std::int64_t>(1 + dice_.skewed(width)));
    }
    request.force = dice_.in(50);
    return request;
}

// Beside `run`.
World::Command Life::any_command() {
    const std::uint64_t what = dice_.below(3);
    if (what == 0) {
        return [](sync::Session& session) { return ignore_result(session.sync()); };
    }
    if (what == 1) {
        return [request = any_backfill()](sync::Session& session) {
            return ignore_result(session.backfill(request));
        };
    }
    sync::AuditRequest request;
    request.options.repair = dice_.in(50);
    return [request](sync::Session& session) { return ignore_result(session.audit(request)); };
}

// False if there is nothing to erase by.
bool Life::erase_something() {
    const std::vector<simulator::TrueRow> shown = shown_rows(world_);
    if (shown.empty() || !is_made(world_.file())) {
        return false;
    }
    const storage::ErasureRule rule = erasures_->any(shown);
    say(fmt::format("erase {} {}", kind_of(rule), value_of(rule)));
    follower_.note_pruning();
    world_.erase(rule);
    return true;
}

// Carries out one of the program's commands.
void Life::session() {
    ++counts_.sessions;
    if (erasures_ && erasures_->due() && erase_something()) {
        return;
    }
    const std::uint64_t what = dice_.below(100);
    if (what < 40) {
        say("sync");
        world_.sync();
    } else if (what < 60) {
        say("run");
        world_.follow(Seconds(static_cast<std::int64_t>(10 + dice_.skewed(4 * 3600))));
    } else if (what < 72) {
        const std::vector<World::Command> commands{any_command(), any_command(), any_command()};
        say("run, and others beside it");
        world_.follow_beside(Seconds(static_cast<std::int64_t>(10 + dice_.skewed(4 * 3600))),
                             commands, [this](const std::exception_ptr& error) {
                                 endure([&error] { std::rethrow_exception(error); });
                             });
    } else if (what < 86) {
        const sync::BackfillRequest request = any_backfill();
        say(fmt::format("backfill from {}{}", format_local(request.from),
                        request.force ? " --force" : ""));
        world_.backfill(request);
    } else {
        sync::AuditRequest request;
        request.options.repair = dice_.in(70);
        request.options.prune = request.options.repair && dice_.in(40);
        say(fmt::format("audit{}{}", request.options.repair ? " --repair" : "",
                        request.options.prune ? " --prune" : ""));
        if (request.options.prune) {
            follower_.note_pruning();
        }
        world_.audit(request);
    }
}

// What may end a run does; anything else comes through.
void Life::endure(const std::function<void()>& work) {
    try {
        work();
    } catch (const copernica::ApiFailed& error) {
        say(error.what());
    } catch (const copernica::TokenRefused& error) {
        say(error.what());
    } catch (const sync::WrongZone& error) {
        // Replies with a wrong Date, one after the other, look like that.
        say(error.what());
    } catch (const storage::DatabaseError& error) {
        say(error.what());
        if (!disk_may_fail_) {
            throw;
        }
    }
}

void Life::step() {
    const std::uint64_t percent =
        dice_.in(40) ? 0 : dice_.one_of(std::vector<std::uint64_t>{3, 10, 30, 80});
    Weather weather(dice_, percent, lies_);
    world_.trouble = [&weather](const simulator::Request& request) {
        return weather.trouble(request);
    };
    const std::uint64_t nth = 1 + dice_.skewed(400);
    const std::uint64_t end = dice_.below(100);
    disk_may_fail_ = end < 45;
    world_.disk.heal();
    if (end < 30) {
        world_.disk.remember();
        world_.disk.arm(DiskFault(test::changing_calls, nth,
                                  dice_.in(50) ? DiskFailure::death : DiskFailure::death_within));
    } else if (end < 45) {
        DiskFault fault(test::changing_calls, nth,
                        dice_.one_of(std::vector<DiskFailure>{
                            DiskFailure::io_error, DiskFailure::full, DiskFailure::short_write}));
        fault.lasting = dice_.in(50);
        world_.disk.arm(fault);
    }
    say(fmt::format("step: {} % of the requests fail, the disk {}", percent,
                    end < 30 ? "dies" : (end < 45 ? "fails" : "works")));
    endure([this] { session(); });
    const bool dead = world_.disk.dead();
    counts_.disk_errors += world_.disk.failed() && !dead ? 1 : 0;
    if (dead && end < 12) {
        ++counts_.power_cuts;
        world_.disk.lose_power(dice_.in(30) ? test::Loss::all : test::Loss::some,
                               dice_.below(1000));
        follower_.start_over();
    } else if (dead) {
        ++counts_.kills;
    }
    world_.disk.heal();
    world_.disk.forget();
    world_.trouble = nullptr;
    pass(Seconds(static_cast<std::int64_t>(dice_.skewed(
        dice_.in(70) ? 900 : static_cast<std::uint64_t>(Seconds(hours(60)).count())))));
}

// Whatever has happened: the file is sound, and what it claims to be covered is there.
void Life::expect_true() {
    expect_sound(world_.file(), world_.clock.now());
    const WindowSet claimed = covered(world_.file());
    for (const Window& window : claimed.windows()) {
        say(fmt::format("covered: {} to {}", format_utc(window.begin), format_utc(window.end)));
    }
    follower_.look(world_.file());
    if (erasures_) {
        erasures_->expect_right(world_.file(), history_);
    }
    if (lies_) {
        return;
    }
    const std::set<std::int64_t> erased = erased_ids(world_.file());
    std::map<std::int64_t, Instant> prompt;
    const Excuses& excuses = rows_->excuses();
    for (const auto& [id, known] : rows_->known()) {
        if (known.prompt && !excuses.expired.contains(id) && !excuses.unknown.contains(id) &&
            !erased.contains(id)) {
            prompt.emplace(id, known.at);
        }
    }
    expect_covered_rows(world_.file(), prompt);
    expect_no_older_than_proven(world_.file(), history_, world_.settings.settle, erased);
}

// Whether what has expired may count as removed is not `settled` before the horizon is proven. And
// if the API removes its oldest rows, and they are old, this cannot be told from expiry.
Excuses Life::excuses(bool settled) const {
    Excuses excuses = rows_->excuses();
    std::set<std::int64_t> shown;
    Instant oldest_shown = world_.clock.now() - plan::least_retention;
    for (const simulator::TrueRow& row : shown_rows(world_)) {
        shown.insert(row.id);
        oldest_shown = std::min(oldest_shown, rows_->known().at(row.id).at);
    }
    for (const auto& [id, known] : rows_->known()) {
        if (known.at < oldest_shown && !shown.contains(id) && !excuses.expired.contains(id)) {
            excuses.unknown.insert(id);
        }
    }
    excuses.erased = erased_ids(world_.file());
    for (const std::int64_t id : excuses.erased) {
        excuses.expired.erase(id);
        excuses.unknown.erase(id);
    }
    if (!settled) {
        excuses.unknown.merge(excuses.expired);
        excuses.expired.clear();
    }
    return excuses;
}

// Nothing happens any more, and time passes: then everything is there.
void Life::end_quietly() {
    rows_->end();
    look_at_history();
    world_.clock.set_error(Seconds(0));
    const auto whole = [this] {
        if (!world_.sync().whole()) {
            throw Broken("a quiet sync is not whole: " +
                         (world_.log().empty() ? std::string() : world_.log().back()));
        }
    };
    whole();
    const Seconds oldest = world_.settings.recheck_ages.back();
    world_.clock.advance(oldest + oldest / 2 + hours(4));
    whole();
    world_.clock.advance(hours(4));
    whole();
    expect_none_unfinished(world_.file());
    const bool counts = !world_.behaviour.longest_period;
    if (lies_ || (fate_.hides && !counts)) {
        // A reply that looked right and lied about a past that is not read again: counts tell.
        sync::AuditRequest request;
        request.options.repair = true;
        world_.audit(request);
    } else if (!fate_.hides) {
        expect_exact(world_, excuses(false));
    }
    // What is hidden or expires is known after the weekly counts.
    for (int week = 0; week < 2 && !fate_.usual(); ++week) {
        world_.clock.advance(hours(24 * 8));
        whole();
        world_.clock.advance(hours(25));
        whole();
    }
    expect_sound(world_.file(), world_.clock.now());
    // After a lie, it is not known what was read of it; if the API does not count long periods, it
    // is not known where its rows begin.
    if (erasures_) {
        erasures_->expect_right(world_.file(), history_);
    }
    const Excuses unseen = excuses(!lies_ && counts);
    expect_exact(world_, unseen);
    follower_.expect_right(world_.file(), unseen.expired);
    const WindowSet all = covered(world_.file());
    if (all.windows().size() != 1 || all.windows().front().end < world_.clock.now() - hours(3)) {
        throw Broken(fmt::format("{} covered periods at the end", all.windows().size()));
    }
}

}  // namespace

LifeCounts live(std::uint64_t seed, const std::filesystem::path& directory,
                const std::function<void(const std::string&)>& tell) {
    return Life(seed, directory, tell).run();
}

}  // namespace mirror::soak
