// Numbers of a period for a report: counts only, nothing of a person.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/time/zone.hpp"

namespace mirror::storage {

/// What became of one mailing. Absent: its stream is not complete since it was sent, was not read
/// since, or what is as old was erased.
struct MailingResult {
    std::string subject;
    std::string sent_at;  ///< account-local
    std::optional<std::uint64_t> destinations;
    std::optional<std::uint64_t> deliveries;
    std::optional<std::uint64_t> unique_opens;
    std::optional<std::uint64_t> unique_person_opens;
    std::optional<std::uint64_t> unique_clicks;
};

struct RejectReason {
    std::string stream;
    std::string reason;  ///< without the value that it names
    std::uint64_t records = 0;
};

/// Opens that the API still returns, of the period, and what goes with them.
struct ReportNumbers {
    using Count = std::pair<std::string, std::uint64_t>;

    std::string time_zone;
    /// By day ("YYYY-MM-DD") and kind, which is empty if nothing is known of the program.
    std::map<std::string, std::map<std::string, std::uint64_t>> opens_by_day;
    /// By weekday, from Monday, and hour.
    std::array<std::array<std::uint64_t, 24>, 7> opens_by_hour{};
    std::vector<Count> devices;          ///< most first
    std::vector<Count> programs;         ///< the same, as many as were asked for
    std::vector<MailingResult> newest;   ///< mailings sent in the period
    std::vector<MailingResult> biggest;  ///< of these
    std::vector<RejectReason> rejects;   ///< of all times
};

struct ReportOptions {
    std::filesystem::path path;
    LocalPeriod period;         ///< whole days
    std::size_t programs = 10;  ///< at the most
    std::size_t mailings = 10;  ///< of each list, at the most
    std::chrono::milliseconds busy_timeout{5'000};
    /// Asked now and then; false ends the reading with an exception.
    std::function<bool()> go_on{};
};

/// Reads everything in one snapshot, as read_status() does. Throws DatabaseError, also for a file
/// of an older version.
ReportNumbers read_report(const ReportOptions& options);

}  // namespace mirror::storage
