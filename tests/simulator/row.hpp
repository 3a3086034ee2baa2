// One event or mailing of an account, as tests state it and as a mirror must hold it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/time/instant.hpp"

namespace simulator {

/// One row of any stream. A stream sends and keeps only the members that its fields name.
struct Row {
    std::int64_t id = 0;
    mirror::Instant at{};
    std::optional<std::int64_t> mailing;
    std::optional<std::string> ip;
    std::optional<std::string> useragent;  ///< invalid UTF-8 is sent as U+FFFD, as PHP does
    std::optional<std::string> device;
    std::optional<std::int64_t> destination;
    std::optional<std::int64_t> profile;
    std::optional<std::int64_t> subprofile;

    std::optional<std::string> link;
    std::optional<std::int64_t> attempts;
    std::optional<std::string> status;
    std::optional<std::string> errorcode;
    std::optional<std::string> description;
    std::optional<std::string> errortype;
    std::optional<std::string> report;  ///< JSON
    std::optional<std::string> source;

    std::optional<std::int64_t> template_id;
    std::optional<std::string> subject;
    std::optional<std::string> from_name;
    std::optional<std::string> from_email;
    std::optional<std::int64_t> destinations;
    std::optional<std::string> type;
    std::optional<std::string> target;  ///< JSON

    /// The API shows the row from then on; always, if absent.
    std::optional<mirror::Instant> visible_from;

    /// Sent in place of the text derived from `at`.
    std::optional<std::string> timestamp;
    /// Members added to the record, as JSON without braces: "\"country\":\"NL\"".
    std::optional<std::string> extra;
    /// Sent in place of the whole record, as it is. The row is then none of the truth, unless
    /// `raw_is_row` says that a mirror must read it as the members above.
    std::optional<std::string> raw;
    bool raw_is_row = false;
};

/// NULL, INTEGER or TEXT of one column.
using Value = std::variant<std::monostate, std::int64_t, std::string>;

/// What a mirror's view of a stream must hold of a row, in the order of columns_of().
using Values = std::vector<Value>;

/// What a mirror's view `impressions` must hold of a row, column by column.
struct TrueRow {
    std::int64_t id = 0;
    std::optional<std::int64_t> mailing;
    std::string timestamp;
    std::optional<std::string> ip;
    std::optional<std::string> useragent;
    std::optional<std::string> device;
    std::optional<std::int64_t> destination;
    std::optional<std::int64_t> profile;
    std::optional<std::int64_t> subprofile;
    friend bool operator==(const TrueRow&, const TrueRow&) = default;
};

/// As many fields, besides ID and timestamp, as a stream has at most.
constexpr std::size_t most_fields = 8;

/// A field of a row while it is read.
struct Cell {
    bool null = true;
    std::int64_t number = 0;
    const std::string* text = nullptr;  ///< null if the field is a number
};

/// A row while it is read: its cells are in the order of the stream's fields. The texts below
/// are null if the row has none. All texts live as long as the account is not cleared.
struct RowView {
    std::int64_t id = 0;
    mirror::Instant at{};
    mirror::LocalTime local{};
    std::array<Cell, most_fields> cells{};
    const std::string* timestamp = nullptr;
    const std::string* extra = nullptr;
    const std::string* raw = nullptr;
};

}  // namespace simulator
