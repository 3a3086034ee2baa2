// The streams of the simulated API: their paths, parameters and fields. The tests' own table: a
// mistake in the table of the program must not be repeated here, so the two share nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tests/simulator/row.hpp"

namespace simulator {

enum class StreamId { impressions, clicks, deliveries, errors, abuses, unsubscribes, mailings };

constexpr std::size_t stream_count = 7;
constexpr std::array<StreamId, stream_count> all_streams{
    StreamId::impressions, StreamId::clicks,       StreamId::deliveries, StreamId::errors,
    StreamId::abuses,      StreamId::unsubscribes, StreamId::mailings};

constexpr std::size_t index_of(StreamId stream) {
    return static_cast<std::size_t>(stream);
}

/// How a field is written.
enum class FieldForm {
    id,
    timestamp,
    quoted,  ///< a number that Numbers::today writes as a string
    number,  ///< a number that Numbers::today writes as a number
    text,
    loose,  ///< a text that Numbers::numbers writes as a number, if it is one
    json    ///< as it is
};

/// A number or a text of a row; nothing for ID and timestamp.
using Member = std::variant<std::monostate, std::optional<std::int64_t> Row::*,
                            std::optional<std::string> Row::*>;

struct Field {
    std::string_view name;
    FieldForm form;
    Member member;
    std::string_view column;       ///< of the mirror's view
    std::string_view parent = "";  ///< the object that the field is in, if it is in one
};

struct StreamFacts {
    StreamId id;
    std::string_view name;   ///< and of the mirror's view
    std::string_view call;   ///< behind "ms/" or "draganddrop/"
    std::string_view begin;  ///< the parameters of the period
    std::string_view end;
    std::span<const Field> fields;  ///< in the order of the API's pages
};

const StreamFacts& facts_of(StreamId stream);

/// "impressions" and so on; nothing if the stream is not known.
std::optional<StreamId> stream_named(std::string_view name);

/// The columns of the mirror's view that the API determines, `id` and `timestamp` among them.
std::vector<std::string> columns_of(StreamId stream);

}  // namespace simulator
