#include "daemon/status/status_text.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/time/text.hpp"
#include "core/util/duration_text.hpp"
#include "core/util/printable.hpp"
#include "daemon/cli/terminal_text.hpp"

namespace mirror::daemon {
namespace {

constexpr std::size_t longest_line = 1000;

std::string first_line(const Status& status, const Zone& zone) {
    std::string text;
    if (status.last_error) {
        text = "stuck";
        if (status.failing_since) {
            text += " since " + format_local(zone.to_local(*status.failing_since));
        }
        text += ": " + *status.last_error + "\n";
    }
    if (!status.complete) {
        text += "nothing is complete yet";
    } else {
        text += fmt::format("complete from {} to {} ({})",
                            format_local(zone.to_local(status.complete->begin)),
                            format_local(zone.to_local(status.complete->end)), zone.name());
        if (status.lag) {
            text += fmt::format(", {} behind", duration_text(*status.lag));
        }
    }
    if (!status.gaps.empty()) {
        text += fmt::format(", with {} before it",
                            status.gaps.size() == 1 ? std::string("one gap")
                                                    : fmt::format("{} gaps", status.gaps.size()));
    }
    return text;
}

// All of them in one line, by when the last of them can be settled.
std::string doubt_text(const std::vector<storage::Doubt>& doubts, const Zone& zone) {
    std::uint64_t rows = 0;
    Instant noticed = doubts.front().noticed_at;
    for (const storage::Doubt& doubt : doubts) {
        rows += doubt.rows;
        noticed = std::max(noticed, doubt.noticed_at);
    }
    const auto local = [&](Instant at) { return format_local(zone.to_local(at)); };
    return fmt::format(
        "{} rows of {} to {} were missing at {}; they are not marked as removed before a read an "
        "hour later agrees",
        grouped(rows), local(doubts.front().window.begin), local(doubts.back().window.end),
        local(noticed));
}

std::string kept_text(const Status& status) {
    std::string text = status.keep ? duration_text(*status.keep) : "for ever";
    if (status.erased_before) {
        text +=
            fmt::format("; what is older than {} was erased", format_local(*status.erased_before));
    }
    return text;
}

std::string choice_text(const Privacy& privacy) {
    return fmt::format("ip = \"{}\", useragent = \"{}\"", name_of(privacy.ip),
                       name_of(privacy.useragent));
}

// One thing that is said: a line of a name and a text, and lines that explain it.
struct Detail {
    std::string_view name;
    std::vector<std::string> texts;
    friend bool operator==(const Detail&, const Detail&) = default;
};

using Details = std::vector<Detail>;

class Lines {
  public:
    Lines(std::string first, const Zone& zone) : text_(std::move(first)), zone_(zone) {}

    void add(std::string_view name, const std::string& value) {
        // Names and errors come from outside.
        text_ += fmt::format("{:<13} {}\n", name, printable(value, longest_line));
    }
    void add(const Detail& detail) {
        std::string_view name = detail.name;
        for (const std::string& text : detail.texts) {
            add(name, text);
            name = "";
        }
    }
    void heading(std::string_view name) { text_ += fmt::format("{}:\n", name); }
    std::string local(Instant at) const { return format_local(zone_.to_local(at)); }
    std::string day(Instant at) const { return format_day(zone_.to_local(at)); }
    const Zone& zone() const { return zone_; }
    const std::string& text() const { return text_; }

  private:
    std::string text_;
    const Zone& zone_;
};

std::string rows_text(const Status& status) {
    return fmt::format("{}, {}, {} removed", grouped(status.rows),
                       counted(status.rejects, "reject"), grouped(status.removed));
}

Detail late_rows(const storage::LatenessSummary& late, Seconds last_age) {
    Detail detail{"late rows",
                  {fmt::format("{}, by {} in the median, {} at the 99th percentile, {} at "
                               "the most",
                               grouped(late.rows), duration_text(late.median),
                               duration_text(late.percentile_99), duration_text(late.largest))}};
    if (late.largest > last_age) {
        detail.texts.push_back(
            fmt::format("WARNING: rows come later than the last of recheck_ages ({}); what "
                        "comes later is found by audit only",
                        last_age.count() == 0 ? "none" : duration_text(last_age)));
    }
    return detail;
}

std::string dated(const std::optional<Instant>& at, const std::string& text, const Lines& lines) {
    return at ? fmt::format("{}: {}", lines.local(*at), text) : text;
}

// What there is to say of a stream beside its rows, or beside its line if it is one of several: how
// far behind it is says that it succeeds.
Details details_of(const Status& status, Seconds last_age, const Lines& lines, bool has_line) {
    constexpr std::size_t most_gaps = 20;
    Details details;
    const auto add = [&details](std::string_view name, std::string text) {
        details.push_back({name, {std::move(text)}});
    };
    for (std::size_t i = 0; i < std::min(status.gaps.size(), most_gaps); ++i) {
        const Gap& gap = status.gaps[i];
        add("gap",
            fmt::format("{} to {}: {}", lines.local(gap.window.begin), lines.local(gap.window.end),
                        gap.reason.value_or("not fetched yet")));
    }
    if (status.gaps.size() > most_gaps) {
        add("gap", fmt::format("and {} more", status.gaps.size() - most_gaps));
    }
    if (!status.doubts.empty()) {
        add("in doubt", doubt_text(status.doubts, lines.zone()));
    }
    if (status.count_difference) {
        add("count",
            fmt::format("{} {} than the file has", *status.count_difference, status.stream->name));
    }
    if (status.lateness) {
        details.push_back(late_rows(*status.lateness, last_age));
    }
    if (status.horizon) {
        add("horizon",
            fmt::format(
                "the API shows nothing before {} any more; {} of the file {} older and kept",
                lines.local(*status.horizon), counted(status.rows_before_horizon, "row"),
                status.rows_before_horizon == 1 ? "is" : "are"));
    }
    if (status.sweep) {
        add("sweep",
            fmt::format("reads everything again since {}, oldest first; now at {}",
                        lines.day(status.sweep->began), lines.day(status.sweep->position)));
    }
    if (status.erased_before || status.keep) {
        add("kept", kept_text(status));
    }
    if (status.erasing) {
        add("erasing",
            "an erasure is at work, or was interrupted: then the next command that "
            "writes to the file finishes it");
    } else if (status.erased_bytes_left) {
        add("erasing",
            "what was erased may still be in the log and in free space of the file, because a "
            "reader was in the way; the next command that writes to the file overwrites it");
    }
    if (status.rewritten) {
        add("rewriting", fmt::format("{} of {} rows have what [privacy] keeps; until all have, the "
                                     "file has a mix",
                                     grouped(*status.rewritten), grouped(status.rows)));
    }
    if (status.zone_behind.count() > 0) {
        add("time zone", zone_behind_text(status.zone_behind, status.time_zone));
    }
    if (status.last_audit) {
        add("last audit", dated(status.last_audit_at, *status.last_audit, lines));
    }
    const bool line_says_it =
        has_line && status.followed && status.lag && status.last_success && !status.last_error;
    if (!line_says_it) {
        add("last success", status.last_success ? lines.local(*status.last_success) : "never");
    }
    if (status.last_error) {
        add("last error", dated(status.last_error_at, *status.last_error, lines));
    }
    return details;
}

// Takes out of all streams what is said of each of them in the same words.
Details common_to(std::vector<Details>& streams) {
    const Details candidates = streams.front();
    Details common;
    for (const Detail& detail : candidates) {
        const auto says = [&detail](const Details& of_stream) {
            return std::find(of_stream.begin(), of_stream.end(), detail) != of_stream.end();
        };
        if (std::all_of(streams.begin(), streams.end(), says)) {
            common.push_back(detail);
            for (Details& of_stream : streams) {
                of_stream.erase(std::remove(of_stream.begin(), of_stream.end(), detail),
                                of_stream.end());
            }
        }
    }
    return common;
}

// A stream of several, in one line.
std::string stream_text(const Status& status, const Lines& lines) {
    std::string text = "nothing is complete yet";
    if (status.complete) {
        text = fmt::format("complete from {} to {}", lines.local(status.complete->begin),
                           lines.local(status.complete->end));
    }
    if (status.lag && status.followed) {
        text += fmt::format(", {} behind", duration_text(*status.lag));
    }
    text += fmt::format("; rows {}; {} {}", rows_text(status), status.gaps.size(),
                        status.gaps.size() == 1 ? "gap" : "gaps");
    return status.followed ? text : text + "; not followed any more";
}

}  // namespace

std::string zone_behind_text(std::chrono::hours behind, const std::string& zone) {
    return fmt::format(
        "new rows carry a time that is {} h behind the API's clock: is {} the account's "
        "zone?",
        behind.count(), zone);
}

std::string status_text(const Statuses& all, const Zone& zone, Seconds last_age) {
    const Status& status = worst_of(all);
    const bool several = all.size() > 1;
    const std::string which = several ? fmt::format("{}: ", status.stream->name) : "";
    Lines lines(which + first_line(status, zone) + "\n", zone);
    if (several) {
        for (const Status& one : all) {
            lines.add(one.stream->name, stream_text(one, lines));
        }
    }
    lines.add("account", status.account
                             ? fmt::format("{} ({})", status.account->name, status.account->id)
                             : "not known yet");
    if (status.kept.privacy.cuts()) {
        lines.add("privacy", choice_text(status.kept.privacy));
    }
    if (status.kept.some_have_less() && status.kept.since) {
        lines.add("privacy",
                  fmt::format("a mix: rows stored before {} may have no more than {}, "
                              "until they are read again",
                              lines.local(*status.kept.since), choice_text(status.kept.narrowest)));
    }
    if (!several) {
        lines.add("rows", rows_text(status));
    }
    std::vector<Details> streams;
    for (const Status& one : all) {
        streams.push_back(details_of(one, last_age, lines, several));
    }
    // Of a single stream, all of it is common.
    const Details common = common_to(streams);
    for (std::size_t i = 0; several && i < all.size(); ++i) {
        if (!streams[i].empty()) {
            lines.heading(all[i].stream->name);
        }
        for (const Detail& detail : streams[i]) {
            lines.add(detail);
        }
    }
    if (several && !common.empty()) {
        lines.heading("all streams");
    }
    for (const Detail& detail : common) {
        lines.add(detail);
    }
    if (status.request_rate) {
        lines.add("rate", fmt::format("{} requests a second: the API refuses more (429)",
                                      *status.request_rate));
    }
    lines.add("requests", requests_text(status.requests));
    lines.add("size", fmt::format("{} MiB, log {} MiB", mebibytes(status.database_bytes),
                                  mebibytes(status.wal_bytes)));
    return lines.text();
}

}  // namespace mirror::daemon
