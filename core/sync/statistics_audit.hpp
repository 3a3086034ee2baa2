// Comparing the API's own statistics of each mailing with what the file holds: a count that is
// independent of the lists that the file was filled from.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "core/plan/statistics_audit.hpp"
#include "core/sync/outcome.hpp"
#include "core/sync/run_context.hpp"
#include "core/sync/run_recorder.hpp"
#include "core/sync/store.hpp"
#include "core/time/instant.hpp"
#include "core/time/window.hpp"

namespace mirror::sync {

/// The period, in account-local time.
struct StatisticsRequest {
    std::optional<LocalTime> from;  ///< absent: see plan::statistics_period()
    std::optional<LocalTime> to;    ///< excluded; absent: the end of what is covered
};

struct StatisticsReport {
    /// A stream that has statistics, and what kept it from being compared.
    struct OfStream {
        const Stream* stream = nullptr;
        bool compared = false;
        WindowSet uncovered;                ///< of the period, not complete in the file
        std::optional<std::string> failed;  ///< the API failed for this stream, for people
    };
    /// A mailing of the file that the API does not know, or does not count.
    struct NotCounted {
        std::int64_t mailing = 0;
        std::uint64_t events = 0;  ///< that the file has of it
        std::optional<std::string>
            failed{};  ///< why, for people; nothing: the API does not know it
    };

    Window period;  ///< what was compared; empty: nothing
    std::vector<OfStream> streams;
    std::uint64_t mailings = 0;  ///< that were compared
    std::vector<plan::StatisticsDifference> differences;
    std::vector<NotCounted> not_counted;
    std::vector<plan::UnattributedRecords> unattributed;
    std::uint64_t requests = 0;

    bool agrees() const;
};

/// One such audit; not reusable. One request for each mailing, however many streams there are, and
/// another one if its counts differ: what is reported was counted twice, here and there.
///
/// It is undocumented whether the API's bounds are included. So the period begins and ends at
/// seconds around which no stream has anything in the file, and it does not matter. Without bounds
/// it would, at the end of a mailing's life: events of the last seconds are not in the file yet.
///
/// It changes nothing in the file but the rows of this run in `runs`, and the count of requests.
class StatisticsAudit {
  public:
    /// All streams that are to be compared, or know mailings, of one session; at least one of them
    /// has a StatisticsForm.
    explicit StatisticsAudit(std::vector<RunContext*> contexts);

    /// Throws what ends a run; ApiFailed also if the API fails for every stream.
    boost::asio::awaitable<StatisticsReport> run(StatisticsRequest request);

  private:
    // A stream that is compared.
    struct Compared {
        RunContext* context = nullptr;
        plan::MailingCounts file;
    };

    boost::asio::awaitable<void> compare(StatisticsRequest request);
    boost::asio::awaitable<void> identify();
    boost::asio::awaitable<void> choose_period(StatisticsRequest request);
    boost::asio::awaitable<plan::ComparableStream> look_at(RunContext& context, Window wanted);
    boost::asio::awaitable<void> bound_by_free_seconds();
    boost::asio::awaitable<std::optional<Instant>> free_second(RowFreeNear near);
    boost::asio::awaitable<std::vector<std::int64_t>> count_file();
    boost::asio::awaitable<void> compare_mailing(std::int64_t mailing);
    boost::asio::awaitable<void> compare_again(std::int64_t mailing);
    boost::asio::awaitable<copernica::FetchedStatistics> ask(std::int64_t mailing);
    boost::asio::awaitable<void> record(std::exception_ptr failed);

    std::vector<plan::StatisticsDifference> differences(
        std::int64_t mailing, const std::vector<copernica::EventCount>& api) const;
    void note_not_counted(std::int64_t mailing, std::optional<std::string> failed);
    void announce(std::size_t mailings) const;
    void explain();
    Outcome outcome_of(const StatisticsReport::OfStream& stream) const;

    const Zone& zone() const { return contexts_.front()->settings.zone; }
    /// Makes the requests.
    RunContext& asking() { return *compared_.front().context; }

    std::vector<RunContext*> contexts_;
    std::vector<RunContext*> counted_;    // of these, that have statistics
    std::vector<RunRecorder> recorders_;  // of each of them
    std::vector<Compared> compared_;
    bool file_is_ours_ = true;
    StatisticsReport report_;
};

}  // namespace mirror::sync
