#include "core/plan/version_sample.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "core/time/text.hpp"

namespace mirror::plan {
namespace {

// Fewer that are missing may have been dropped at the source.
constexpr std::size_t most_missing_by_chance = 2;

// Nothing if the stream's rows have no mailing.
std::optional<std::size_t> slot_of_mailing(const Stream& stream) {
    for (const Field& field : stream.fields) {
        if (field.column == "mailing" && field.kind == FieldKind::integer) {
            return field.slot;
        }
    }
    return std::nullopt;
}

std::string text_of(const SampledRow& row) {
    return fmt::format("{}{}", format_local(row.time),
                       row.mailing ? fmt::format(", mailing {}", *row.mailing) : "");
}

bool is_same(const SampledRow& file, const SampledRow& api) {
    return file.time == api.time &&
           (!file.mailing || !api.mailing || *file.mailing == *api.mailing);
}

}  // namespace

copernica::PageQuery sample_query(const std::vector<SampledRow>& rows, std::uint32_t page_size) {
    const auto [first, last] = std::minmax_element(
        rows.begin(), rows.end(),
        [](const SampledRow& a, const SampledRow& b) { return a.time < b.time; });
    copernica::PageQuery query;
    query.begintime = first->time - Seconds(1);
    query.endtime = last->time + Seconds(1);
    query.limit = page_size;
    query.total = true;
    return query;
}

std::vector<SampledRow> sampled(const Stream& stream, const copernica::Page& page) {
    const auto slot = slot_of_mailing(stream);
    std::vector<SampledRow> rows;
    for (const Row& row : page.rows) {
        SampledRow one;
        one.id = row.id;
        one.time = row.time;
        if (slot) {
            one.mailing = row.integers.at(*slot);
        }
        rows.push_back(one);
    }
    return rows;
}

std::optional<std::string> why_other_rows(const Stream& stream, const std::vector<SampledRow>& file,
                                          const std::vector<SampledRow>& api, bool complete) {
    // One ID may be that of two records.
    std::multimap<std::int64_t, const SampledRow*> by_id;
    for (const SampledRow& row : api) {
        by_id.emplace(row.id, &row);
    }
    std::size_t missing = 0;
    for (const SampledRow& row : file) {
        const auto [begin, end] = by_id.equal_range(row.id);
        if (begin == end) {
            ++missing;
        } else if (std::none_of(begin, end,
                                [&](const auto& shown) { return is_same(row, *shown.second); })) {
            return fmt::format("{} {} is of {} in the file, and of {} there", stream.one, row.id,
                               text_of(row), text_of(*begin->second));
        }
    }
    if (complete && missing > most_missing_by_chance && missing * 2 > file.size()) {
        return fmt::format("of the newest {} {} in the file, {} are not there", file.size(),
                           stream.name, missing);
    }
    return std::nullopt;
}

}  // namespace mirror::plan
