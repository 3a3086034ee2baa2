#include "core/copernica/statistics_decoder.hpp"

#include <limits>
#include <optional>
#include <string>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "core/http/body_sink.hpp"
#include "core/util/decimal.hpp"

namespace mirror::copernica {
namespace {

namespace json = boost::json;

// As with IDs, 63 bits: no mailing has more events.
constexpr std::uint64_t most_events = std::numeric_limits<std::int64_t>::max();

std::optional<std::uint64_t> number_of(const json::value& value) {
    if (const std::int64_t* const number = value.if_int64()) {
        return *number >= 0 ? std::optional(static_cast<std::uint64_t>(*number)) : std::nullopt;
    }
    if (const json::string* const text = value.if_string()) {
        const auto number = read_decimal<std::uint64_t>({text->data(), text->size()});
        return number && *number <= most_events ? number : std::nullopt;
    }
    return std::nullopt;
}

std::uint64_t count_of(const json::object& counts, const Stream& stream, const char* name) {
    const std::string what = std::string(name) + " of " + std::string(stream.name);
    const json::value* const value = counts.if_contains(name);
    if (value == nullptr) {
        throw http::BadBody("the statistics have no " + what);
    }
    const std::optional<std::uint64_t> number = number_of(*value);
    if (!number) {
        throw http::BadBody("the statistics have a " + what + " that is not a count");
    }
    return *number;
}

EventCount read_counts(const json::object& statistics, const Stream& stream) {
    const json::value* const value = statistics.if_contains(stream.name);
    const json::object* const counts = value == nullptr ? nullptr : value->if_object();
    if (counts == nullptr) {
        throw http::BadBody("the statistics do not count " + std::string(stream.name));
    }
    EventCount count;
    count.total = count_of(*counts, stream, "total");
    if (stream.statistics == StatisticsForm::total_and_unique) {
        count.unique = count_of(*counts, stream, "unique");
        if (*count.unique > count.total) {
            throw http::BadBody("the statistics have more destinations than " +
                                std::string(stream.name));
        }
    }
    return count;
}

}  // namespace

std::vector<EventCount> decode_statistics(std::string_view body,
                                          std::span<const Stream* const> streams) {
    json::error_code error;
    const json::value reply = json::parse({body.data(), body.size()}, error);
    const json::object* const statistics = error ? nullptr : reply.if_object();
    if (statistics == nullptr) {
        throw http::BadBody("the reply has no statistics: it is not a JSON object");
    }
    std::vector<EventCount> counts;
    for (const Stream* const stream : streams) {
        counts.push_back(read_counts(*statistics, *stream));
    }
    return counts;
}

}  // namespace mirror::copernica
