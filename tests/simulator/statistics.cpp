#include "tests/simulator/statistics.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <set>
#include <string_view>

namespace simulator {
namespace {

constexpr std::uint64_t all_rows = std::numeric_limits<std::uint64_t>::max();

// The place of a column among a row's cells.
std::size_t cell_of(StreamId stream, std::string_view column) {
    std::size_t place = 0;
    for (const Field& field : facts_of(stream).fields) {
        if (field.column == column) {
            break;
        }
        if (field.form != FieldForm::id && field.form != FieldForm::timestamp) {
            ++place;
        }
    }
    return place;
}

Selection selection_of(const Request& request, mirror::Instant now) {
    Selection selection;
    selection.begin = request.question.begin;
    selection.end = request.question.end;
    selection.begin_bound = Bound::inclusive;
    selection.end_bound = Bound::inclusive;
    selection.now = now;
    return selection;
}

struct Count {
    std::uint64_t total = 0;
    std::uint64_t unique = 0;  // destinations
};

// Bounds mean what they mean in pages.
Selection counted_by(const Request& request, const Behaviour& behaviour, mirror::Instant now) {
    Selection selection = selection_of(request, now);
    selection.begin_bound = behaviour.begin;
    selection.end_bound = behaviour.end;
    selection.reading = behaviour.reading;
    selection.repeated = behaviour.repeated;
    selection.gap = behaviour.gap;
    return selection;
}

Count count(const Account& account, StreamId stream, const Request& request,
            const Selection& selection) {
    const std::size_t mailing = cell_of(stream, "mailing");
    const std::size_t destination = cell_of(stream, "destination");
    Count result;
    std::set<std::int64_t> destinations;
    account.of(stream).read(selection, 0, all_rows, [&](const RowView& row) {
        if (!row.cells[mailing].null && row.cells[mailing].number == request.mailing) {
            ++result.total;
            if (!row.cells[destination].null) {
                destinations.insert(row.cells[destination].number);
            }
        }
    });
    result.unique = destinations.size();
    return result;
}

// Nothing if the mailing is none of the stream of mailings.
std::optional<std::int64_t> destinations_of(const Account& account, std::int64_t mailing,
                                            mirror::Instant now) {
    const std::size_t place = cell_of(StreamId::mailings, "destinations");
    std::optional<std::int64_t> result;
    Selection selection;
    selection.now = now;
    account.of(StreamId::mailings).read(selection, 0, all_rows, [&](const RowView& row) {
        if (row.id == mailing) {
            result = row.cells[place].number;
        }
    });
    return result;
}

std::string member(std::string_view name, const std::string& value) {
    return "\"" + std::string(name) + "\":" + value;
}

std::string both(std::string_view name, const Count& count) {
    return member(name, "{" + member("total", std::to_string(count.total)) + "," +
                            member("unique", std::to_string(count.unique)) + "}");
}

}  // namespace

std::optional<std::string> statistics_body(const Account& account, const Request& request,
                                           const Behaviour& behaviour, mirror::Instant now) {
    const Selection selection = counted_by(request, behaviour, now);
    const Count deliveries = count(account, StreamId::deliveries, request, selection);
    const Count errors = count(account, StreamId::errors, request, selection);
    const auto destinations = destinations_of(account, request.mailing, now);
    bool known = destinations.has_value() || deliveries.total + errors.total > 0;
    std::string rest;
    for (const StreamId stream :
         {StreamId::impressions, StreamId::clicks, StreamId::unsubscribes, StreamId::abuses}) {
        const Count counted = count(account, stream, request, selection);
        known = known || counted.total > 0;
        rest += "," + both(facts_of(stream).name, counted);
    }
    if (!known) {
        return std::nullopt;
    }
    const std::uint64_t sent = deliveries.total + errors.total;
    return "{" +
           member("destinations",
                  std::to_string(destinations ? *destinations : static_cast<std::int64_t>(sent))) +
           "," +
           member("deliveries", "{" + member("total", std::to_string(deliveries.total)) + "}") +
           "," + both("errors", errors) + rest + "}";
}

std::string consumption_body(const Account& account, const Request& request, mirror::Instant now) {
    std::uint64_t emails = 0;
    for (const StreamId stream : {StreamId::deliveries, StreamId::errors}) {
        emails += account.of(stream).read(selection_of(request, now), 0, 0, [](const RowView&) {});
    }
    return "{" + member("emails", std::to_string(emails)) + "," +
           member("apicalls", std::to_string(request.api_calls)) + "}";
}

}  // namespace simulator
