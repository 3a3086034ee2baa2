#include "core/plan/window_reader.hpp"

#include <algorithm>
#include <utility>

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

bool has_nameless(const copernica::Page& page) {
    return std::any_of(page.rejects.begin(), page.rejects.end(),
                       [](const Reject& reject) { return !reject.id; });
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

WindowReader::WindowReader(const Zone& zone, const Request& request, const BoundsSeen& seen)
    : zone_(zone),
      request_(request),
      seen_(seen),
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
    query_.limit = searching() ? std::min(query_.limit, size) : size;
    longest_page_ = 0;  // a page of the new size may be full
}

WindowReader::Verdict WindowReader::accept(copernica::Page page) {
    if (search_) {
        return judge_search(std::move(page));
    }
    if (counting_again_) {
        return judge_count(std::move(page));
    }
    if (query_.total) {
        total_ = page.total;
        curve_.counted(request_.window, *total_);
    }
    crowded_ = query_.total && *total_ > request_.most_records;
    const bool re_based =
        !(query_.begintime == first_query_.begintime && query_.endtime == first_query_.endtime);
    if (re_based && has_nameless(page)) {
        // Pages by time overlap by whole seconds, and a record without an ID cannot be told from
        // its twin there. Positions tell them apart.
        restart_by_start();
        return Verdict::read_on;
    }
    if (has_nameless(page)) {
        request_.read_on = ReadOn::by_start;
    }

    const bool overlap_found = overlap_asked_ && begins_with_last_record(page);
    if (overlap_asked_ && !overlap_found) {
        return Verdict::not_whole;  // offsets moved: rows may have been skipped, others have come
    }
    // The queries are derived from the page as it came, before it is kept.
    const copernica::PageQuery asked = query_;
    const std::size_t records = page.records();
    overlap_asked_ = false;
    if (records > 0) {
        if (request_.read_on == ReadOn::by_start || !ask_from_last_time(page)) {
            ask_by_start(page);
        }
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
    if (distinct == *total_ && pages_ == 1) {
        return Verdict::whole;
    }
    if (distinct == *total_ && (!full || is_last)) {
        return used_time_ ? count_again() : Verdict::whole;
    }
    // More records than were counted: one came in between.
    if (distinct > *total_) {
        return Verdict::not_whole;
    }
    const bool same_query = query_.start == asked.start && query_.begintime == asked.begintime &&
                            query_.endtime == asked.endtime;
    // No new record: this way of reading finds no more.
    if (fresh == 0 || same_query) {
        return search_missing();
    }
    return crowded_ ? Verdict::too_many : Verdict::read_on;
}

// The list has ended, and records are missing. Around the hour that occurs twice, and if some
// records have no time or no ID, nothing shows where.
WindowReader::Verdict WindowReader::search_missing() {
    const std::uint64_t distinct = places_.size();
    if (!used_time_ || !is_plain() || distinct >= *total_) {
        return Verdict::not_whole;
    }
    std::vector<LocalTime> times = times_of_rows(records_.rows);
    search_ = MissingSearch::plan(first_query_, std::move(times), *total_ - distinct, zone_);
    if (!search_) {
        return Verdict::not_whole;
    }
    query_ = search_->query();
    return Verdict::read_on;
}

WindowReader::Verdict WindowReader::judge_search(copernica::Page page) {
    if (!page.rejects.empty()) {
        return Verdict::not_whole;
    }
    const std::uint64_t total = *page.total;
    const std::uint64_t fresh = keep(std::move(page), false);
    switch (search_->accept(total, fresh)) {
        case MissingSearch::Verdict::ask_on:
            query_ = search_->query();
            return Verdict::read_on;
        case MissingSearch::Verdict::found:
            return received() == *total_ ? Verdict::whole : Verdict::not_whole;
        case MissingSearch::Verdict::lost:
            break;
    }
    return Verdict::not_whole;
}

WindowReader::Verdict WindowReader::count_again() {
    counting_again_ = true;
    query_ = first_query_;
    query_.limit = 1;
    return Verdict::read_on;
}

WindowReader::Verdict WindowReader::judge_count(copernica::Page page) {
    const bool same_total = page.total == total_;
    const bool all_known = page.rejects.empty() && keep(std::move(page), false) == 0;
    return same_total && all_known ? Verdict::whole : Verdict::not_whole;
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
    return total_ && !searching() && is_plain() && time_order_.runs_forward();
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
    used_time_ = false;
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

void WindowReader::restart_by_start() {
    request_.read_on = ReadOn::by_start;
    query_ = first_query_;
    records_ = {};
    pages_ = 0;
    places_.clear();
    time_order_ = {};
    nameless_ = 0;
    total_.reset();
    last_id_.reset();
    last_reject_.clear();
    overlap_asked_ = false;
    longest_page_ = 0;
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

WindowReader::Order WindowReader::order_of(const copernica::Page& page) const {
    if (page.rows.size() < 2 || !page.rejects.empty()) {
        return Order::none;
    }
    const auto earlier = [](const Row& a, const Row& b) { return a.time < b.time; };
    const auto later = [](const Row& a, const Row& b) { return b.time < a.time; };
    if (page.rows.front().time == page.rows.back().time) {
        return Order::none;  // no order to be seen in a single second
    }
    if (std::is_sorted(page.rows.begin(), page.rows.end(), earlier)) {
        return Order::ascending;
    }
    if (std::is_sorted(page.rows.begin(), page.rows.end(), later)) {
        return Order::descending;
    }
    return Order::none;
}

// Asks for the rows from the last time seen on, at no offset, if the page's order allows it
// and little of the page would come again.
bool WindowReader::ask_from_last_time(const copernica::Page& page) {
    const Order order = order_of(page);
    if (order == Order::none) {
        return false;
    }
    const LocalTime last = page.rows.back().time;
    copernica::PageQuery next = query_;
    next.start = 0;
    LocalTime again_from{};  // rows from here to `last` come again
    if (order == Order::ascending) {
        again_from = seen_.begin_inclusive ? last : zone_.second_before(last);
        next.begintime = std::max(query_.begintime, again_from);
    } else {
        again_from = seen_.end_inclusive ? last : zone_.second_after(last);
        next.endtime = std::min(query_.endtime, again_from);
    }
    // A second that occurs twice is one bound to a server that compares texts, another to one that
    // compares instants. Behind it, reading goes on by time again.
    if (zone_.earliest(again_from) != zone_.latest(again_from)) {
        return false;
    }
    const auto again = std::count_if(page.rows.begin(), page.rows.end(), [&](const Row& row) {
        return order == Order::ascending ? row.time >= again_from : row.time <= again_from;
    });
    if (static_cast<std::size_t>(again) * 4 > page.rows.size()) {
        return false;
    }
    query_ = next;
    used_time_ = true;
    return true;
}

// Each page overlaps the last by one record, so that moved offsets show.
void WindowReader::ask_by_start(const copernica::Page& page) {
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
