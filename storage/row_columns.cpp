#include "storage/row_columns.hpp"

#include <algorithm>

namespace mirror::storage {
namespace {

RowColumn column_of(const Field& field) {
    using Source = RowColumn::Source;
    switch (field.kind) {
        case FieldKind::timestamp:
            return {field.column, Source::timestamp, 0};
        case FieldKind::integer:
            return {field.column, Source::integer, field.slot};
        case FieldKind::dictionary:
            return {field.dictionary->number, Source::entry, field.slot};
        case FieldKind::text:
        case FieldKind::text_or_number:
        case FieldKind::json:
            break;
    }
    return {field.column, Source::text, field.slot};
}

}  // namespace

std::vector<RowColumn> row_columns(const Stream& stream) {
    std::vector<RowColumn> columns;
    for (const Field& field : stream.fields) {
        const RowColumn column = column_of(field);
        const bool known = std::any_of(columns.begin(), columns.end(), [&](const RowColumn& other) {
            return other.name == column.name;
        });
        if (!known) {
            columns.push_back(column);
        }
    }
    return columns;
}

}  // namespace mirror::storage
