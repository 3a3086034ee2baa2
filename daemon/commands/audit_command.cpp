#include "daemon/commands/audit_command.hpp"

#include <optional>
#include <ostream>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "core/time/text.hpp"
#include "core/util/printable.hpp"
#include "daemon/cli/terminal_text.hpp"
#include "daemon/commands/period.hpp"
#include "daemon/commands/runtime.hpp"
#include "daemon/commands/statistics_command.hpp"
#include "storage/sqlite/file_check.hpp"

namespace mirror::daemon {
namespace {

constexpr std::size_t longest_reason = 1000;

std::string verdict(const sync::AuditReport& report) {
    if (report.nothing_covered) {
        return "nothing of that period is complete in the file, so there is nothing to compare";
    }
    if (!report.unread.empty()) {
        return "some periods could not be read";
    }
    if (!report.places.empty() && !report.repaired) {
        return "the file differs from the API";
    }
    if (!report.uncovered.empty()) {
        return "what is complete in the file agrees with the API, but parts of the period are not";
    }
    return report.repaired ? "the file differed and agrees now" : "the file agrees with the API";
}

boost::json::array json_periods(const WindowSet& periods) {
    boost::json::array array;
    for (const Window& window : periods.windows()) {
        array.push_back({{"begin", format_utc(window.begin)}, {"end", format_utc(window.end)}});
    }
    return array;
}

// What is to be done; empty for nothing.
std::string advice(const sync::AuditReport& report) {
    const std::size_t withdrawn = report.withdrawn.windows().size();
    if (withdrawn > 0) {
        return fmt::format(
            "{} {} no longer marked as complete; `copernica-mirror sync` fetches {} again\n",
            withdrawn, withdrawn == 1 ? "period is" : "periods are",
            withdrawn == 1 ? "it" : "them");
    }
    if (!report.uncovered.empty()) {
        return "`copernica-mirror sync` fetches what is missing from [mirror] start on, `backfill` "
               "what lies before it\n";
    }
    return "";
}

}  // namespace

namespace {

boost::json::object json_of(const sync::AuditReport& report) {
    boost::json::array places;
    for (const sync::AuditPlace& place : report.places) {
        places.push_back({{"begin", format_utc(place.window.begin)},
                          {"end", format_utc(place.window.end)},
                          {"missing", place.missing},
                          {"gone", place.gone},
                          {"changed", place.changed}});
    }
    boost::json::array unread;
    for (const plan::UnreadWindow& window : report.unread) {
        unread.push_back({{"begin", format_utc(window.window.begin)},
                          {"end", format_utc(window.window.end)},
                          {"reason", window.reason}});
    }
    boost::json::object object;
    object["agrees"] = report.agrees();
    object["repaired"] = report.repaired;
    object["api"] = report.api;
    object["file"] = report.file;
    object["places"] = std::move(places);
    object["unread"] = std::move(unread);
    object["uncovered"] = json_periods(report.uncovered);
    object["withdrawn"] = json_periods(report.withdrawn);
    object["pruned"] = report.pruned;
    object["not_pruned"] = report.not_pruned;
    object["requests"] = report.requests;
    return object;
}

using Results = std::vector<sync::StreamResult<sync::AuditReport>>;

bool all_agree(const Results& results) {
    return std::all_of(results.begin(), results.end(),
                       [](const auto& result) { return result.result && result.result->agrees(); });
}

// One object for each stream, by its name.
std::string json_of_all(const Results& results) {
    boost::json::object by_stream;
    for (const auto& result : results) {
        const std::string name(result.stream->name);
        if (result.result) {
            by_stream[name] = json_of(*result.result);
        } else {
            by_stream[name] = {{"failed", *result.failed}};
        }
    }
    boost::json::object object;
    object["agrees"] = all_agree(results);
    object["streams"] = std::move(by_stream);
    return printable_json(boost::json::serialize(object)) + "\n";
}

std::string text_of_all(const Results& results, const Zone& zone) {
    std::string text;
    for (const auto& result : results) {
        text += fmt::format("{}: ", result.stream->name);
        text += result.result ? audit_text(*result.result, zone) : "NOT compared: the API fails\n";
    }
    return text;
}

}  // namespace

std::string audit_json(const sync::AuditReport& report) {
    return printable_json(boost::json::serialize(json_of(report))) + "\n";
}

std::string audit_text(const sync::AuditReport& report, const Zone& zone) {
    std::string text =
        fmt::format("{}: {} counted by the API, {} in the file{}; {} requests\n", verdict(report),
                    report.api, report.file, report.repaired ? " before" : "", report.requests);
    const auto local = [&](Instant at) { return format_local(zone.to_local(at)); };
    for (const sync::AuditPlace& place : report.places) {
        text +=
            fmt::format("{} to {}: {} missing, {} gone, {} changed\n", local(place.window.begin),
                        local(place.window.end), place.missing, place.gone, place.changed);
    }
    for (const plan::UnreadWindow& unread : report.unread) {
        text += fmt::format("{} to {}: not read: {}\n", local(unread.window.begin),
                            local(unread.window.end), printable(unread.reason, longest_reason));
    }
    for (const Window& window : report.uncovered.windows()) {
        text += fmt::format("{} to {}: not complete in the file, so not compared\n",
                            local(window.begin), local(window.end));
    }
    if (report.pruned > 0) {
        text += fmt::format("{} that the API does not show any more {} deleted\n",
                            counted(report.pruned, "row"), report.pruned == 1 ? "was" : "were");
    }
    if (report.not_pruned > 0) {
        text += fmt::format(
            "{} that the API does not show any more {} not deleted: more than 1 % of the rows "
            "there; add --yes to delete them\n",
            counted(report.not_pruned, "row"), report.not_pruned == 1 ? "was" : "were");
    }
    if (report.written.doubted > 0) {
        text += fmt::format(
            "{} that the API does not show will be marked as removed if a read an hour later "
            "agrees: so many at once may be a mistake\n",
            counted(report.written.doubted, "row"));
    }
    return text + advice(report);
}

ExitCode audit_mirror(const CommandLine& line, const Config& config, const Environment& environment,
                      const std::shared_ptr<spdlog::logger>& log, sync::Observer* metrics) {
    if (line.statistics) {
        return audit_statistics(line, config, environment, log, metrics);
    }
    storage::existing_file(config.mirror.database);  // an audit creates none
    const RequestedPeriod period = requested_period(line, config, environment, *log);
    Runtime mirror(line, config, environment, log);
    if (metrics != nullptr) {
        mirror.observe(*metrics);
    }
    sync::AuditRequest request;
    request.from = period.from;
    request.to = period.to;
    request.options.repair = line.repair;
    request.options.prune = line.prune;
    request.before_horizon = line.before_horizon;
    request.options.prune_many = line.yes;
    const std::optional<Results> results = mirror.run(mirror.session().audit_all(request));
    if (!results) {
        return mirror.stopped_by();
    }
    for (const auto& result : *results) {
        if (result.failed) {
            log->error("{}: {}", result.stream->name, printable(*result.failed, longest_reason));
        }
    }
    if (results->size() == 1) {
        const sync::AuditReport& report = *results->front().result;
        environment.out << (line.json ? audit_json(report) : audit_text(report, mirror.zone()));
    } else {
        environment.out << (line.json ? json_of_all(*results)
                                      : text_of_all(*results, mirror.zone()));
    }
    environment.out << std::flush;
    return all_agree(*results) ? ExitCode::done : ExitCode::not_whole;
}

}  // namespace mirror::daemon
