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

}  // namespace

WindowReader::WindowReader(const Zone& zone, const Request& request, const BoundsSeen& seen)
    : zone_(zone),
      request_(request),
      seen_(seen),
      first_query_(first_query_of(zone, request)),
      query_(first_query_) {
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
        if (*total_ > request_.most_records) {
            return Verdict::too_many;
        }
    }
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

    const std::uint64_t distinct = places_.size() + nameless_;
    // What came after the count may have taken the place of what is still to come: so the end has
    // to be seen, a page that is not full. A reply that is the only one was counted as it was made.
    const bool full = records >= longest_page_;
    longest_page_ = std::max(longest_page_, records);
    if (distinct == *total_ && (pages_ == 1 || !full)) {
        return Verdict::whole;
    }
    // More records than were counted: one came in between. No new record: there are no more to be
    // had this way.
    if (distinct > *total_ || fresh == 0) {
        return Verdict::not_whole;
    }
    if (query_.start == asked.start && query_.begintime == asked.begintime &&
        query_.endtime == asked.endtime) {
        return Verdict::not_whole;
    }
    return Verdict::read_on;
}

void WindowReader::restart_by_start() {
    request_.read_on = ReadOn::by_start;
    query_ = first_query_;
    records_ = {};
    pages_ = 0;
    places_.clear();
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
            if (known.shares_id && time) {
                records_.repeated_ids.push_back(id);
            }
        }
    };
    auto next_row = static_cast<std::uint32_t>(records_.rows.added());
    auto next_reject = static_cast<std::uint32_t>(records_.rejects.size());
    records_.rows.add(page.rows);
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
