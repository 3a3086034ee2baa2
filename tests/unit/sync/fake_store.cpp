#include "tests/unit/sync/fake_store.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <stdexcept>

#include <fmt/format.h>

#include "core/plan/request_budget.hpp"
#include "core/sync/metadata.hpp"
#include "core/time/text.hpp"
#include "tests/unit/sync/turns.hpp"

namespace mirror::tests {

namespace asio = boost::asio;

asio::awaitable<WindowSet> FakeStore::coverage(std::int64_t age) {
    co_await yield_always();
    if (on_coverage) {
        on_coverage(age);
    }
    co_return covered;
}

asio::awaitable<sync::Written> FakeStore::commit(std::vector<sync::WholeWindow> windows, Instant) {
    co_await yield_always();
    sync::Written written;
    for (const sync::WholeWindow& whole : windows) {
        committed.push_back(whole.window);
        if (!whole.window.contains(whole.proven)) {
            broken.push_back("what is proven lies outside of the window");
        }
        const LocalPeriod span = zone_.span(whole.window);
        std::set<std::int64_t> seen;
        rejects.erase(rejects.lower_bound(span.begin), rejects.lower_bound(span.end));
        PackedRows::Reader reader = whole.records.rows.read();
        while (const mirror::Row* const row = reader.next()) {
            if (!seen.insert(row->id).second || row->id <= 0) {
                broken.push_back(fmt::format("ID {} twice in one window", row->id));
            }
            const bool is_new = rows.insert_or_assign(row->id, row->time).second;
            ++(is_new ? written.inserted : written.unchanged);
        }
        for (const Reject& reject : whole.records.rejects) {
            if (span.begin <= *reject.time && *reject.time < span.end) {
                rejects.emplace(*reject.time, reject.record);
                ++written.rejected;
            }
        }
        std::erase_if(rows, [&](const auto& row) {
            const bool gone = span.begin <= row.second && row.second < span.end &&
                              row.second < zone_.to_local(whole.proven.end) &&
                              !seen.contains(row.first);
            if (gone) {
                removed.insert(row.first);
            }
            return gone;
        });
        covered.add(whole.proven);
    }
    co_return written;
}

asio::awaitable<void> FakeStore::uncover(WindowSet windows) {
    co_await yield_always();
    covered.subtract(windows);
}

asio::awaitable<std::uint64_t> FakeStore::count(LocalTime begin, LocalTime end) {
    co_await yield_always();
    const auto in_rows = std::count_if(rows.begin(), rows.end(), [&](const auto& row) {
        return begin <= row.second && row.second <= end;
    });
    const auto in_rejects = std::distance(rejects.lower_bound(begin), rejects.upper_bound(end));
    co_return static_cast<std::uint64_t>(in_rows + in_rejects);
}

asio::awaitable<sync::UnplacedRejects> FakeStore::unplaced_rejects(LocalTime, LocalTime) {
    co_return sync::UnplacedRejects{};  // each of its rejects has a time
}

// What audits find is tested against the real file. Here they find no place to cut, so they read
// everything again.
asio::awaitable<std::vector<sync::RowDifference>> FakeStore::compare(
    const std::vector<sync::WholeWindow>&) {
    co_return std::vector<sync::RowDifference>{};
}

asio::awaitable<std::optional<LocalTime>> FakeStore::row_free_second(LocalTime begin, LocalTime end,
                                                                     sync::RowFreeNear near) {
    co_await yield_always();
    if (!cuts) {
        co_return std::nullopt;
    }
    std::set<LocalTime> times;
    for (const auto& row : rows) {
        if (begin - Seconds(1) <= row.second && row.second <= end + Seconds(1)) {
            times.insert(row.second);
        }
    }
    const LocalTime middle = begin + (end - begin) / 2;
    const Seconds step(near == sync::RowFreeNear::end ? -1 : 1);
    LocalTime second = near == sync::RowFreeNear::begin ? begin : middle;
    second = near == sync::RowFreeNear::end ? end : second;
    for (; begin <= second && second <= end; second += step) {
        const auto next = times.lower_bound(second - Seconds(1));
        if (next == times.end() || *next > second + Seconds(1)) {
            co_return second;
        }
    }
    co_return std::nullopt;
}

asio::awaitable<WindowSet> FakeStore::doubts(Instant) {
    co_return WindowSet{};
}

asio::awaitable<std::uint64_t> FakeStore::count_removed(LocalTime, LocalTime) {
    co_return 0;
}

asio::awaitable<std::optional<LocalTime>> FakeStore::middle_row(LocalTime, LocalTime) {
    co_return std::nullopt;
}

asio::awaitable<std::optional<LocalTime>> FakeStore::nth_record(LocalTime begin, LocalTime end,
                                                                std::uint64_t n) {
    co_await yield_always();
    std::vector<LocalTime> times;
    for (const auto& [id, time] : rows) {
        times.push_back(time);
    }
    for (const auto& [time, record] : rejects) {
        times.push_back(time);
    }
    std::erase_if(times, [&](LocalTime time) { return time < begin || time >= end; });
    std::sort(times.begin(), times.end());
    co_return n < times.size() ? std::optional(times[n]) : std::nullopt;
}

asio::awaitable<WindowSet> FakeStore::covered_by_other_rules() {
    co_return WindowSet{};
}

asio::awaitable<std::uint64_t> FakeStore::settle_expired(LocalTime begin, Instant) {
    co_await yield_always();
    const auto expired = std::count_if(rows.begin(), rows.end(),
                                       [&](const auto& row) { return row.second < begin; });
    co_return static_cast<std::uint64_t>(expired);
}

asio::awaitable<sync::ErasedPortion> FakeStore::erase_older(LocalTime before) {
    facts[sync::metadata::erased_before] = format_local(before);
    co_return sync::ErasedPortion{};
}

asio::awaitable<sync::Rewriting> FakeStore::rewrite_portion() {
    co_return sync::Rewriting::none;
}

asio::awaitable<std::uint64_t> FakeStore::prune_before(LocalTime begin) {
    co_return std::erase_if(rows, [&](const auto& row) { return row.second < begin; });
}

asio::awaitable<std::uint64_t> FakeStore::prune(LocalTime, LocalTime) {
    co_return 0;
}

asio::awaitable<plan::MailingCounts> FakeStore::mailing_counts(
    LocalTime /*begin*/, LocalTime /*end*/, std::optional<std::int64_t> mailing) {
    co_await yield();
    if (!mailing) {
        co_return mailings;
    }
    plan::MailingCounts one;
    const auto found = mailings.by_mailing.find(*mailing);
    if (found != mailings.by_mailing.end()) {
        one.by_mailing.insert(*found);
    }
    co_return one;
}

asio::awaitable<void> FakeStore::recount() {
    co_return;
}

asio::awaitable<std::optional<sync::NewestRows>> FakeStore::newest_rows(LocalTime before) {
    co_await yield_always();
    std::optional<sync::NewestRows> newest;
    for (const auto& [id, time] : rows) {
        if (time >= before || (newest && time < newest->time)) {
            continue;
        }
        if (!newest || time > newest->time) {
            newest.emplace();
            newest->time = time;
        }
        ++newest->rows;
    }
    co_return newest;
}

asio::awaitable<std::vector<plan::SampledRow>> FakeStore::newest_sample(LocalTime before,
                                                                        std::size_t most) {
    co_await yield_always();
    std::vector<plan::SampledRow> sample;
    for (const auto& [id, time] : rows) {
        if (time < before) {
            plan::SampledRow row;
            row.id = id;
            row.time = time;
            sample.push_back(row);
        }
    }
    std::sort(sample.begin(), sample.end(),
              [](const auto& a, const auto& b) { return a.time > b.time; });
    sample.resize(std::min(sample.size(), most));
    co_return sample;
}

asio::awaitable<void> FakeStore::record_run(sync::RunRecord run) {
    co_await yield_always();
    runs.push_back(std::move(run));
}

asio::awaitable<void> FakeStore::claim_account(std::string id, std::string) {
    co_await yield_always();
    facts["account"] = std::move(id);
}

asio::awaitable<sync::RequestsToday> FakeStore::spend_requests(Instant now, std::int64_t wanted,
                                                               std::uint64_t limit) {
    co_await yield_always();
    if (full) {
        throw std::runtime_error("the disk is full");
    }
    std::int64_t& day =
        requests[std::chrono::floor<std::chrono::days>(now).time_since_epoch().count()];
    sync::RequestsToday today;
    today.granted = plan::granted(wanted, day, limit);
    day += today.granted;
    today.total = static_cast<std::uint64_t>(day);
    co_return today;
}

asio::awaitable<std::optional<std::string>> FakeStore::fact(std::string key) {
    co_await yield_always();
    const auto found = facts.find(key);
    if (found == facts.end()) {
        co_return std::nullopt;
    }
    co_return found->second;
}

asio::awaitable<void> FakeStore::set_fact(std::string key, std::string value) {
    co_await yield_always();
    facts[key] = std::move(value);
}

asio::awaitable<void> FakeStore::set_facts(std::map<std::string, std::string> changed) {
    co_await yield_always();
    for (auto& [key, value] : changed) {
        facts[key] = std::move(value);
    }
}

}  // namespace mirror::tests
