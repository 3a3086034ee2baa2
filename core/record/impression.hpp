// One record of the API: a row, or what cannot be one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/record/text_arena.hpp"
#include "core/time/instant.hpp"

namespace mirror {

/// One mail open, as the API gives it. Texts are views into what holds the record: its page, or the
/// pack that it was read from.
struct Impression {
    std::int64_t id = 0;  ///< 1 to 2^63-1
    /// `timestamp`, account-local. Only "YYYY-MM-DD HH:MM:SS" is read, so that the API's own text
    /// is format_local() of it.
    LocalTime time{};
    std::optional<std::int64_t> mailing;
    std::optional<std::int64_t> destination;
    std::optional<std::int64_t> profile;
    std::optional<std::int64_t> subprofile;
    std::optional<std::string_view> ip;
    std::optional<std::string_view> useragent;
    std::optional<std::string_view> device;
    /// A JSON object with sorted keys: fields that we do not know, and known fields of the wrong
    /// kind (which are absent above). Nothing where there are none.
    std::optional<std::string_view> extra;
};

/// A record that cannot be a row: no usable ID, or a timestamp that is none.
struct Reject {
    std::size_t position = 0;              ///< its place among the page's records, from 0
    std::optional<std::int64_t> id;        ///< where it is usable
    std::optional<LocalTime> time;         ///< where it can be read
    std::optional<std::string> timestamp;  ///< the API's text, where it is a text
    std::string reason;                    ///< for people: "no usable ID: \"abc\""
    std::string record;                    ///< the record as a JSON object again, keys sorted
};

}  // namespace mirror
