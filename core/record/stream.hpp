// What a stream is: one kind of event, with its calls and its fields, as a table.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/record/row.hpp"

namespace mirror {

/// How the values of a field are read and kept. A value of another kind goes to the row's `extra`.
enum class FieldKind : std::uint8_t {
    timestamp,       ///< the row's time; a record without a readable one is a reject
    integer,         ///< a JSON number or string of canonical decimal digits, 64 bits
    text,            ///< a JSON string
    text_or_number,  ///< a JSON string, or a JSON number, kept as the text that the API wrote
    dictionary,      ///< a JSON string that repeats: kept once, the row has its number
    json,            ///< a JSON object or array, kept as canonical JSON
};

/// A table of texts that repeat, each entry with a number.
struct Dictionary {
    std::string_view table;   ///< "user_agents"
    std::string_view number;  ///< the column of a row that holds the entry's number: "user_agent"
    std::string_view first;   ///< column of the entry's first text
    std::string_view second;  ///< of its second one; empty for single texts
};

/// What a field says of a person beyond who it is; see record/privacy.hpp.
enum class PersonalData : std::uint8_t { none, address, user_agent };

/// One field of a record. Sources: the API's documentation of each call.
struct Field {
    std::string_view name;    ///< in the JSON; "from_address.name" is nested
    std::string_view column;  ///< of the stream's view
    FieldKind kind;
    const Dictionary* dictionary = nullptr;  ///< of a field of that kind
    bool second = false;                     ///< it is its entry's second text
    /// Where a Row holds the value: in integers, texts or entries, as the kind says.
    std::uint8_t slot = 0;
    PersonalData personal = PersonalData::none;
};

/// What the API's statistics of a mailing count of a stream, under the stream's name.
enum class StatisticsForm : std::uint8_t {
    none,
    total,             ///< events
    total_and_unique,  ///< and the distinct destinations that they name
};

struct Stream {
    std::string_view name;          ///< "impressions": also the name of its view
    std::string_view one;           ///< one of its events, for messages: "impression"
    std::string_view table;         ///< of its rows: "impression_rows"
    std::string_view path;          ///< of its call, below the API's URL: "ms/impressions"
    std::string_view newer_path;    ///< where version 4 documents it: "draganddrop/impressions"
    std::string_view begin;         ///< the parameter for the begin of a period: "begintime"
    std::string_view end;           ///< and for its end: "endtime"
    std::string_view id;            ///< how the API spells the key of a record's ID
    std::span<const Field> fields;  ///< all but the ID, in the order of the view's columns
    /// The dictionaries of its fields, in the order of the slots.
    std::span<const Dictionary* const> dictionaries;
    StatisticsForm statistics = StatisticsForm::none;
};

/// All streams, in the order in which people meet them. The first one is what is mirrored if
/// nothing else is configured.
std::span<const Stream> streams();

/// Whether one of its fields has this column.
bool has_column(const Stream& stream, std::string_view column);

/// Null if no stream has this name.
const Stream* find_stream(std::string_view name);

}  // namespace mirror
