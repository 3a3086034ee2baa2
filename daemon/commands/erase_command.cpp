#include "daemon/commands/erase_command.hpp"

#include <algorithm>
#include <ostream>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "core/time/text.hpp"
#include "daemon/cli/point_in_time.hpp"
#include "daemon/cli/terminal_text.hpp"
#include "daemon/config/stream_choice.hpp"
#include "daemon/process/usage_error.hpp"
#include "storage/mirror_file.hpp"
#include "storage/sqlite/file_check.hpp"
#include "storage/sqlite/file_lock.hpp"
#include "storage/status_reader.hpp"

namespace mirror::daemon {
namespace {

using storage::ErasedOfStream;
using storage::ErasureRequest;
using storage::ErasureRule;
using Kind = ErasureRule::Kind;

std::vector<const Stream*> chosen(const CommandLine& line) {
    return streams_named(line.streams.empty() ? stream_names() : line.streams);
}

ErasureRule by_id(Kind kind, std::int64_t id) {
    ErasureRule rule;
    rule.kind = kind;
    rule.id = id;
    return rule;
}

// An hour that occurs twice is erased as a whole or not at all: texts cannot tell its two passes
// apart.
ErasureRule by_age(const PointInTime& point, Instant now, const Zone& zone) {
    refuse_future("--before", point, now, zone);
    ErasureRule rule;
    rule.kind = Kind::before;
    rule.before = zone.to_local(zone.align_down(zone.earliest(local_time_of(point, now, zone))));
    return rule;
}

// An address of which the file keeps less finds nothing, or the rows of many.
void refuse_cut_addresses(const ErasureRequest& request, const std::filesystem::path& file,
                          spdlog::logger& log) {
    const auto is_address = [](const ErasureRule& rule) { return rule.kind == Kind::ip; };
    if (std::none_of(request.rules.begin(), request.rules.end(), is_address)) {
        return;
    }
    const storage::FileStatus status = storage::read_status({file, 0});
    const Privacy::Addresses kept = status.kept.privacy.ip;
    const bool cut = kept != Privacy::Addresses::full;
    if (kept == Privacy::Addresses::none) {
        throw UsageError(
            "--ip: the file keeps no addresses ([privacy] ip = \"none\"); erase by --profile or "
            "--destination");
    }
    if (cut && std::any_of(status.streams.begin(), status.streams.end(),
                           [](const auto& stream) { return stream.rewriting.has_value(); })) {
        throw UsageError(
            "--ip: the addresses in the file are being cut to networks; erase by --profile or "
            "--destination, or wait until `status` says nothing of rewriting");
    }
    const auto is_whole = [kept](const ErasureRule& rule) {
        const std::string text = format_ip_address(rule.address);
        return rule.kind == Kind::ip && cut_address(kept, text) != text;
    };
    if (std::any_of(request.rules.begin(), request.rules.end(), is_whole)) {
        throw UsageError(
            "--ip: the file keeps the networks of addresses only ([privacy] ip = \"network\"); "
            "erase by --profile or --destination, or name a network by its first address (such as "
            "192.0.2.0 or 2001:db8:1::), which erases the rows of everybody in it");
    }
    if (status.kept.narrowest.ip > kept) {
        log.warn(
            "--ip: rows that were stored before [privacy] ip was \"{}\" may have less of their "
            "addresses; --ip does not find these",
            name_of(kept));
    }
}

// With those of the same stream that were left over from an erasure before.
void add(std::vector<ErasedOfStream>& all, const std::vector<ErasedOfStream>& more) {
    for (const ErasedOfStream& each : more) {
        const auto same = std::find_if(all.begin(), all.end(), [&](const ErasedOfStream& other) {
            return other.stream == each.stream;
        });
        if (same == all.end()) {
            all.push_back(each);
        } else {
            same->rows += each.rows;
            same->rejects += each.rejects;
        }
    }
}

void print(const std::vector<ErasedOfStream>& all, bool dry_run, std::ostream& out) {
    for (const ErasedOfStream& each : all) {
        out << erased_text(each, dry_run) << "\n";
    }
    out << std::flush;
}

// The bound moves forward only, and what is older is not stored again: with a clock that is ahead,
// it would hide what is still to come.
void refuse_unread_times(const ErasureRequest& request, const std::filesystem::path& file,
                         const Zone& zone) {
    const std::optional<LocalTime> bound = storage::bound_of(request.rules);
    if (!bound) {
        return;
    }
    const storage::FileStatus status = storage::read_status({file, 0});
    std::optional<Instant> newest;
    for (const Stream* const stream : request.streams) {
        const WindowSet& coverage = status.of(*stream).coverage;
        if (!coverage.empty() && (!newest || *newest < coverage.windows().back().end)) {
            newest = coverage.windows().back().end;
        }
    }
    if (newest && zone.earliest(*bound) > *newest) {
        throw UsageError(fmt::format(
            "--before {} is later than what the file has, which ends at {}; name an earlier time, "
            "and see whether this machine's clock is right",
            format_local(*bound), format_local(zone.to_local(*newest))));
    }
}

}  // namespace

ErasureRequest requested_erasure(const CommandLine& line, Instant now, const Zone& zone) {
    ErasureRequest request;
    request.streams = chosen(line);
    for (const std::int64_t id : line.profiles) {
        request.rules.push_back(by_id(Kind::profile, id));
    }
    for (const std::int64_t id : line.destinations) {
        request.rules.push_back(by_id(Kind::destination, id));
    }
    for (const IpAddress& address : line.addresses) {
        ErasureRule rule;
        rule.kind = Kind::ip;
        rule.address = address;
        request.rules.push_back(rule);
    }
    for (const PointInTime& point : line.before) {
        request.rules.push_back(by_age(point, now, zone));
    }
    return request;
}

std::vector<std::string> erasure_notes(const CommandLine& line, Instant now, const Zone& zone) {
    std::vector<std::string> notes;
    for (const PointInTime& point : line.before) {
        const LocalTime named = local_time_of(point, now, zone);
        const LocalTime meant = by_age(point, now, zone).before;
        if (meant != named) {
            notes.push_back(fmt::format(
                "--before {}: {}, so what is older than {} is erased", format_local(named),
                meant > named ? "this time does not exist, because clocks went forward then"
                              : "this time occurs twice, because clocks went back then",
                format_local(meant)));
        }
    }
    return notes;
}

std::string erased_text(const ErasedOfStream& erased, bool dry_run) {
    if (erased.rows == 0 && erased.rejects == 0) {
        return fmt::format("{}: nothing to erase", erased.stream->name);
    }
    std::string what = counted(erased.rows, "row");
    if (erased.rejects > 0) {
        what += " and " + counted(erased.rejects, "reject");
    }
    return fmt::format("{}: {} {}", erased.stream->name, what,
                       dry_run ? "would be erased" : "erased");
}

ExitCode erase_records(const CommandLine& line, const Config& config,
                       const Environment& environment, spdlog::logger& log) {
    const Zone zone(config.api.time_zone);
    const Instant started = environment.clock.utc();
    const ErasureRequest request = requested_erasure(line, started, zone);
    const auto path = storage::existing_file(config.mirror.database);
    refuse_unread_times(request, path, zone);
    for (const std::string& note : erasure_notes(line, started, zone)) {
        log.warn("{}", note);
    }
    refuse_cut_addresses(request, path, log);
    if (line.dry_run) {
        print(storage::count_erasure(path, zone, request), true, environment.out);
        return ExitCode::done;
    }
    const storage::MirrorOptions options{path, zone};
    storage::MirrorFile file(options, started);
    storage::EraseLock only_one(file.path());
    if (!only_one.take(options.busy_timeout)) {
        throw storage::DatabaseError(
            storage::DatabaseErrorKind::locked,
            fmt::format("database {}: locked: another erasure is at work; wait until it is done",
                        path.string()));
    }
    std::vector<ErasedOfStream> all = file.finished_erasure();
    storage::Eraser eraser = file.eraser();
    eraser.begin(request);
    try {
        add(all, eraser.finish(started, [&] { return environment.clock.utc(); }));
    } catch (const storage::DatabaseError& error) {
        throw storage::DatabaseError(
            error.kind(), fmt::format("{}; what was begun is not forgotten: it is finished by this "
                                      "command, or by the next that writes to the file",
                                      error.what()));
    }
    print(all, false, environment.out);
    if (eraser.clean(options.busy_timeout)) {
        return ExitCode::done;
    }
    log.error(
        "the records are erased, but their bytes may still be in {}-wal and in free space of the "
        "file, because a reader has it open in a long transaction: end that, then run the same "
        "command again",
        path.string());
    return ExitCode::not_whole;
}

}  // namespace mirror::daemon
