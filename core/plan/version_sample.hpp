// Whether another version of the API shows the account's rows as the file has them: which sample to
// take, and how to compare it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/copernica/page.hpp"
#include "core/copernica/page_query.hpp"
#include "core/record/stream.hpp"
#include "core/time/instant.hpp"

namespace mirror::plan {

/// What never changes of a row. The rest may: a profile is filled in, or is deleted.
struct SampledRow {
    std::int64_t id = 0;
    LocalTime time{};
    std::optional<std::int64_t> mailing;
    friend bool operator==(const SampledRow&, const SampledRow&) = default;
};

/// How many rows are compared at the most.
inline constexpr std::size_t sample_size = 100;

/// What to ask for: all rows of the time of these, of which there must be one at least.
copernica::PageQuery sample_query(const std::vector<SampledRow>& rows, std::uint32_t page_size);

/// The rows of a page.
std::vector<SampledRow> sampled(const Stream& stream, const copernica::Page& page);

/// How the API's rows contradict those of the file, for people; nothing if they do not.
/// `complete`: the API's are all of that time. Single rows that are missing do not contradict:
/// a source may drop some.
std::optional<std::string> why_other_rows(const Stream& stream, const std::vector<SampledRow>& file,
                                          const std::vector<SampledRow>& api, bool complete);

}  // namespace mirror::plan
