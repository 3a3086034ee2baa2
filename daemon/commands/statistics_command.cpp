#include "daemon/commands/statistics_command.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <ostream>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "core/time/text.hpp"
#include "core/util/printable.hpp"
#include "daemon/commands/period.hpp"
#include "daemon/commands/run_settings.hpp"
#include "daemon/commands/runtime.hpp"
#include "daemon/process/usage_error.hpp"
#include "storage/sqlite/file_check.hpp"

namespace mirror::daemon {
namespace {

using sync::StatisticsReport;

constexpr std::size_t longest_reason = 1000;

bool all_unknown(const StatisticsReport& report) {
    return report.mailings == 0 && !report.not_counted.empty() &&
           std::none_of(report.not_counted.begin(), report.not_counted.end(),
                        [](const auto& one) { return one.failed.has_value(); });
}

std::string verdict(const StatisticsReport& report) {
    if (report.period.empty()) {
        return "nothing of that period is complete in the file, so there is nothing to compare";
    }
    if (all_unknown(report)) {
        return "the API knows none of the file's mailings, or does not serve their statistics";
    }
    if (!report.differences.empty()) {
        return "the file differs from the API's statistics";
    }
    if (!report.not_counted.empty()) {
        return "some mailings could not be compared; the rest agrees";
    }
    if (report.agrees() && report.mailings == 0) {
        return "the file has no event of a mailing in that period, so nothing was compared";
    }
    return report.agrees() ? "the file agrees with the API's statistics"
                           : "what was compared agrees with the API's statistics, but parts of the "
                             "period were not";
}

std::string count_text(std::uint64_t count, const char* one, const char* more) {
    return fmt::format("{} {}", count, count == 1 ? one : more);
}

class Text {
  public:
    explicit Text(const Zone& zone) : zone_(zone) {}

    void add_verdict(const StatisticsReport& report) {
        text_ += verdict(report);
        if (!report.period.empty()) {
            text_ += fmt::format(": {} from {} to {}",
                                 count_text(report.mailings, "mailing", "mailings"),
                                 local(report.period.begin), local(report.period.end));
        }
        text_ += fmt::format("; {} requests\n", report.requests);
    }

    void add(const plan::StatisticsDifference& difference) {
        const std::string of = difference.of_unique ? " destinations" : "";
        text_ += fmt::format(
            "mailing {}, {}: {}{} counted by the API's statistics, {} in the file\n",
            difference.mailing, difference.stream->name, difference.api, of, difference.file);
    }

    void add(const StatisticsReport::NotCounted& mailing) {
        if (mailing.failed) {
            text_ += fmt::format("mailing {}: not compared: {}\n", mailing.mailing,
                                 printable(*mailing.failed, longest_reason));
        } else {
            text_ += fmt::format("mailing {}: the API does not know it, the file has {} of it\n",
                                 mailing.mailing, count_text(mailing.events, "event", "events"));
        }
    }

    void add(const plan::UnattributedRecords& records) {
        text_ += fmt::format(
            "{}: the API's statistics count {} more, of {}; that is explained by {} of which the "
            "file does not know the mailing (erased, or kept in rejects)\n",
            records.stream->name, records.more, count_text(records.mailings, "mailing", "mailings"),
            count_text(records.records, "record", "records"));
    }

    void add(const StatisticsReport::OfStream& stream) {
        if (stream.failed) {
            text_ += fmt::format("{}: NOT compared: the API fails\n", stream.stream->name);
            return;
        }
        for (const Window& window : stream.uncovered.windows()) {
            text_ += fmt::format("{}: {} to {}: not complete in the file, so {} not compared\n",
                                 stream.stream->name, local(window.begin), local(window.end),
                                 stream.compared ? "this part is" : "this stream is");
        }
    }

    std::string take() { return std::move(text_); }

  private:
    std::string local(Instant at) const { return format_local(zone_.to_local(at)); }

    const Zone& zone_;
    std::string text_;
};

boost::json::object json_period(const Window& window) {
    return {{"begin", format_utc(window.begin)}, {"end", format_utc(window.end)}};
}

boost::json::object json_of(const StatisticsReport::OfStream& stream) {
    boost::json::array uncovered;
    for (const Window& window : stream.uncovered.windows()) {
        uncovered.push_back(json_period(window));
    }
    boost::json::object object;
    object["stream"] = stream.stream->name;
    object["compared"] = stream.compared;
    object["uncovered"] = std::move(uncovered);
    object["failed"] = nullptr;
    if (stream.failed) {
        object["failed"] = *stream.failed;
    }
    return object;
}

boost::json::object json_of(const StatisticsReport::NotCounted& mailing) {
    boost::json::object object;
    object["mailing"] = mailing.mailing;
    object["file"] = mailing.events;
    object["failed"] = nullptr;
    if (mailing.failed) {
        object["failed"] = *mailing.failed;
    }
    return object;
}

boost::json::object json_of(const plan::StatisticsDifference& difference) {
    return {{"mailing", difference.mailing},
            {"stream", difference.stream->name},
            {"number", difference.of_unique ? "unique" : "total"},
            {"api", difference.api},
            {"file", difference.file}};
}

boost::json::object json_of(const plan::UnattributedRecords& records) {
    return {{"stream", records.stream->name},
            {"records", records.records},
            {"more", records.more},
            {"mailings", records.mailings}};
}

template <typename Values>
boost::json::array json_array(const Values& values) {
    boost::json::array array;
    for (const auto& value : values) {
        array.push_back(json_of(value));
    }
    return array;
}

// Mailings alone are not counted by any statistics.
void require_counted_stream(const CommandLine& line, const Config& config) {
    const std::vector<const Stream*> chosen = chosen_streams(line, config);
    if (std::none_of(chosen.begin(), chosen.end(), [](const Stream* stream) {
            return stream->statistics != StatisticsForm::none;
        })) {
        throw UsageError(
            "--statistics compares events of mailings, and none of the streams that are chosen has "
            "any; name another one, such as impressions, with --stream or [mirror] streams");
    }
}

}  // namespace

std::string statistics_json(const StatisticsReport& report) {
    boost::json::object object;
    object["agrees"] = report.agrees();
    object["period"] = nullptr;
    if (!report.period.empty()) {
        object["period"] = json_period(report.period);
    }
    object["mailings"] = report.mailings;
    object["streams"] = json_array(report.streams);
    object["differences"] = json_array(report.differences);
    object["not_counted"] = json_array(report.not_counted);
    object["unattributed"] = json_array(report.unattributed);
    object["requests"] = report.requests;
    return printable_json(boost::json::serialize(object)) + "\n";
}

std::string statistics_text(const StatisticsReport& report, const Zone& zone) {
    Text text(zone);
    text.add_verdict(report);
    const auto add_all = [&](const auto& parts) {
        for (const auto& part : parts) {
            text.add(part);
        }
    };
    add_all(report.differences);
    add_all(report.not_counted);
    add_all(report.unattributed);
    add_all(report.streams);
    std::string all = text.take();
    if (!report.differences.empty()) {
        all +=
            "`copernica-mirror audit` says whether the API's lists differ from the file, too, and "
            "with --repair it fetches what is missing\n";
    }
    return all;
}

ExitCode audit_statistics(const CommandLine& line, const Config& config,
                          const Environment& environment,
                          const std::shared_ptr<spdlog::logger>& log, sync::Observer* metrics) {
    require_counted_stream(line, config);
    storage::existing_file(config.mirror.database);  // an audit creates none
    const RequestedPeriod period = requested_period(line, config, environment, *log);
    Runtime mirror(line, config, environment, log);
    if (metrics != nullptr) {
        mirror.observe(*metrics);
    }
    sync::StatisticsRequest request;
    request.from = period.from;
    request.to = period.to;
    const std::optional<StatisticsReport> report =
        mirror.run(mirror.session().audit_statistics(request));
    if (!report) {
        return mirror.stopped_by();
    }
    for (const StatisticsReport::OfStream& stream : report->streams) {
        if (stream.failed) {
            log->error("{}: {}", stream.stream->name, printable(*stream.failed, longest_reason));
        }
    }
    environment.out << (line.json ? statistics_json(*report)
                                  : statistics_text(*report, mirror.zone()))
                    << std::flush;
    return report->agrees() ? ExitCode::done : ExitCode::not_whole;
}

}  // namespace mirror::daemon
