#include "core/plan/window_reader.hpp"

#include <algorithm>
#include <utility>

#include "core/plan/reading_way.hpp"

namespace mirror::plan {
namespace {

// The API's queries start one second early, because its begin may be exclusive.
copernica::PageQuery first_query_of(const Zone& zone, const WindowReader::Request& request) {
    const LocalPeriod span = zone.span(request.window);
    copernica::PageQuery query;
    query.begintime = zone.second_before(span.begin);
    query.endtime = span.end;
    query.start = 0;
    query.limit = request.page_size;
    query.total = true;
    return query;
}

bool last_record_is_reject(const copernica::Page& page) {
    return !page.rejects.empty() && page.rejects.back().position + 1 == page.records();
}

bool first_record_is_reject(const copernica::Page& page) {
    return !page.rejects.empty() && page.rejects.front().position == 0;
}

std::vector<LocalTime> times_of_rows(const PackedRows& rows) {
    std::vector<LocalTime> times;
    times.reserve(rows.size());
    PackedRows::Reader reader = rows.read();
    while (const Row* const row = reader.next()) {
        times.push_back(row->time);
    }
    return times;
}

}  // namespace

WindowReader::WindowReader(const Zone& zone, const Request& request)
    : zone_(zone),
      request_(request),
      first_query_(first_query_of(zone, request)),
      query_(first_query_),
      curve_(request.window.begin) {
    const Window around{request.window.begin - Seconds(1), request.window.end + Seconds(1)};
    if (zone.touches_repeated_hour(around)) {
        slack_ = repeated_hour;
    }
}

void WindowReader::limit_pages(std::uint32_t size) {
    request_.page_size = size;
    first_query_.limit = size;
    query_.limit = size;
    longest_page_ = 0;  // a page of the new size may be full
}

WindowReader::Verdict WindowReader::accept(copernica::Page page) {
    if (query_.total) {
        total_ = page.total;
        curve_.counted(request_.window, *total_);
    }
    crowded_ = query_.total && *total_ > request_.most_records;
    const bool overlap_found = overlap_asked_ && begins_with_last_record(page);
    if (overlap_asked_ && !overlap_found) {
        return Verdict::not_whole;  // offsets moved: rows may have been skipped, others have come
    }
    // The next query is derived from the page as it came, before it is kept.
    const copernica::PageQuery asked = query_;
    const std::size_t records = page.records();
    overlap_asked_ = false;
    if (records > 0) {
        ask_next(page);
        if (last_record_is_reject(page)) {
            last_id_ = page.rejects.back().id;
            last_reject_ = page.rejects.back().record;
        } else {
            last_id_ = page.rows.back().id;
            last_reject_.clear();
        }
    }
    query_.total = false;
    const std::uint64_t fresh = keep(std::move(page), overlap_found);

    return judge_page(asked, records, fresh);
}

// What a page of so many records, some of them new, says of the window as a whole.
WindowReader::Verdict WindowReader::judge_page(const copernica::PageQuery& asked,
                                               std::size_t records, std::uint64_t fresh) {
    const std::uint64_t distinct = received();
    // What came after the count may have taken the place of what is still to come: so the end has
    // to be seen, a page that is not full, or one that says itself that it is the last. A reply
    // that is the only one was counted as it was made.
    const bool full = records >= longest_page_;
    longest_page_ = std::max(longest_page_, records);
    const bool is_last = asked.total && asked.start + records == *total_;
    if (distinct == *total_ && (pages_ == 1 || !full || is_last)) {
        return Verdict::whole;
    }
    // More records than were counted: one came in between.
    if (distinct > *total_) {
        return Verdict::not_whole;
    }
    if (fresh == 0) {
        return Verdict::not_whole;  // there are no more
    }
    return crowded_ ? Verdict::too_many : Verdict::read_on;
}

// Each record has a time, and an ID that no other has, and local times run as instants do.
bool WindowReader::is_plain() const {
    return slack_ == Seconds(0) && nameless_ == 0 && records_.rejects.empty() &&
           records_.repeated_ids.empty();
}

void WindowReader::TimeOrder::saw(LocalTime time) {
    first_ = first_.value_or(time);
    earlier_ += latest_ && time < *latest_ ? 1 : 0;
    latest_ = std::max(latest_.value_or(time), time);
    ++records_;
}

bool WindowReader::TimeOrder::runs_forward() const {
    const double most = most_disorder * static_cast<double>(records_);
    return latest_ > first_ && static_cast<double>(earlier_) <= most;
}

// Not in the nights in which clocks change, nor if some records have no time or no ID, nor in a
// list that is not in the order of time.
bool WindowReader::may_move_end() const {
    return total_ && is_plain() && time_order_.runs_forward();
}

std::optional<Window> WindowReader::move_end(std::uint64_t rows, Instant latest_end) {
    if (!may_move_end() || rows <= received() || left() == 0) {
        return std::nullopt;
    }
    const Instant latest = zone_.latest(*time_order_.latest());
    const Instant end = curve_.end_for(rows, received(), latest);
    return end_at(zone_.align_down(std::min(end, std::max(latest_end, request_.window.end))));
}

// It ends in a second without a known row, so that it does not matter if bounds are included.
std::optional<Window> WindowReader::narrow_to_known() {
    if (!may_move_end()) {
        return std::nullopt;
    }
    std::vector<LocalTime> times = times_of_rows(records_.rows);
    std::sort(times.begin(), times.end());
    for (std::size_t i = times.size() - 1; i > 0; --i) {
        if (times[i] - times[i - 1] > Seconds(1)) {
            return end_at(zone_.latest(times[i - 1]) + Seconds(1));
        }
    }
    return std::nullopt;
}

// Not where it ends already, nor in a night in which clocks change.
bool WindowReader::may_end_at(Instant end) const {
    const Window& window = request_.window;
    return window.begin < end && end != window.end && end == zone_.align_down(end) &&
           !zone_.touches_repeated_hour({window.begin - Seconds(1), end + Seconds(1)});
}

// What is known before the new end, in the order in which it came, is where the new list begins.
std::optional<Window> WindowReader::end_at(Instant end) {
    if (!may_end_at(end)) {
        return std::nullopt;
    }
    const LocalTime local_end = zone_.span({request_.window.begin, end}).end;
    if (*time_order_.latest() >= local_end) {
        forget_from(local_end);
    }
    const std::uint64_t kept = received();
    last_reject_.clear();
    request_.window.end = end;
    first_query_.endtime = local_end;
    query_ = first_query_;
    overlap_asked_ = kept > 0;
    query_.start = kept > 0 ? kept - 1 : 0;
    return request_.window;
}

// Rows only: all records are rows if the end may move.
void WindowReader::forget_from(LocalTime end) {
    places_.clear();
    time_order_ = {};
    std::vector<std::size_t> gone;
    PackedRows::Reader reader = records_.rows.read();
    while (const Row* const row = reader.next()) {
        if (row->time >= end) {
            gone.push_back(reader.place());
            continue;
        }
        places_.put(row->id, row->time, {static_cast<std::uint32_t>(reader.place()), false});
        time_order_.saw(row->time);
        last_id_ = row->id;
    }
    for (const std::size_t place : gone) {
        records_.rows.remove(place);
    }
}

bool WindowReader::begins_with_last_record(const copernica::Page& page) const {
    if (page.records() == 0) {
        return false;
    }
    if (!first_record_is_reject(page)) {
        return last_id_ == page.rows.front().id;
    }
    const Reject& first = page.rejects.front();
    return first.id ? last_id_ == first.id : !last_id_ && last_reject_ == first.record;
}

// Keeps a page's records; one that is known already replaces what was known. Returns how many
// are new. `drop_first`: the first record is the last one of the page before.
std::uint64_t WindowReader::keep(copernica::Page page, bool drop_first) {
    ++pages_;
    std::uint64_t fresh = 0;
    const auto place = [&](std::int64_t id, std::optional<LocalTime> time, const Place& where) {
        const IdIndex::Known known = places_.put(id, time, where);
        if (known.before) {
            forget(*known.before);
        } else {
            ++fresh;
            if (time) {
                time_order_.saw(*time);
            }
            if (known.shares_id && time) {
                records_.repeated_ids.push_back(id);
            }
        }
    };
    auto next_row = static_cast<std::uint32_t>(records_.rows.added());
    auto next_reject = static_cast<std::uint32_t>(records_.rejects.size());
    records_.rows.add(page.rows, page.entries);
    for (const Row& row : page.rows) {
        place(row.id, row.time, {next_row++, false});
    }
    for (Reject& reject : page.rejects) {
        const Place here{next_reject++, true};
        const bool seen_before = drop_first && reject.position == 0;
        const std::optional<std::int64_t> id = reject.id;
        const std::optional<LocalTime> time = reject.time;
        records_.rejects.push_back(std::move(reject));
        if (id) {
            place(*id, time, here);
        } else if (seen_before) {
            forget(here);
        } else {
            ++nameless_;
            ++fresh;
        }
    }
    return fresh;
}

// What was seen again later. No record is an empty text.
void WindowReader::forget(const Place& place) {
    if (place.reject) {
        records_.rejects[place.index].record.clear();
    } else {
        records_.rows.remove(place.index);
    }
}

// Each page overlaps the last by one record, so that moved offsets show.
void WindowReader::ask_next(const copernica::Page& page) {
    overlap_asked_ = page.records() > 1;
    query_.start += overlap_asked_ ? page.records() - 1 : 1;
}

Records WindowReader::take_records() {
    std::erase_if(records_.rejects, [](const Reject& reject) { return reject.record.empty(); });
    records_.rows.seal();
    places_.clear();
    return std::exchange(records_, {});
}

}  // namespace mirror::plan
