// One record of the API, whatever its stream: a row, or what cannot be one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/time/instant.hpp"

namespace mirror {

/// How many values of each kind a row of any stream has at the most. The tables of
/// record/streams.cpp are checked against these when they are compiled.
inline constexpr std::size_t most_integers = 5;
inline constexpr std::size_t most_texts = 5;
inline constexpr std::size_t most_entries = 2;

/// An entry of a dictionary: texts that repeat together, such as a user agent and its device. The
/// second one is absent in dictionaries of single texts.
using Entry = std::pair<std::optional<std::string_view>, std::optional<std::string_view>>;

/// One event, as the API gives it. The stream's table (record/stream.hpp) says which field stands
/// in which slot; slots that it does not use are absent. Texts are views into what holds the
/// record: its page, or the pack that it was read from.
struct Row {
    std::int64_t id = 0;  ///< 1 to 2^63-1
    /// `timestamp`, account-local. Only "YYYY-MM-DD HH:MM:SS" is read, so that the API's own text
    /// is format_local() of it.
    LocalTime time{};
    std::array<std::optional<std::int64_t>, most_integers> integers{};
    std::array<std::optional<std::string_view>, most_texts> texts{};
    std::array<Entry, most_entries> entries{};
    /// A JSON object with sorted keys: fields that we do not know, and known fields of the wrong
    /// kind (which are absent above). Absent if there are none.
    std::optional<std::string_view> extra;
};

/// A record that cannot be a row: it has no usable ID, or its timestamp cannot be read.
struct Reject {
    std::size_t position = 0;              ///< its place among the page's records, from 0
    std::optional<std::int64_t> id;        ///< if it is usable
    std::optional<LocalTime> time;         ///< if it can be read
    std::optional<std::string> timestamp;  ///< the API's text, if it is a text
    std::string reason;                    ///< for people: "no usable ID: \"abc\""
    std::string record;                    ///< the record as a JSON object again, keys sorted
};

}  // namespace mirror
