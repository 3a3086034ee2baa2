// Rows of the stream impressions with names for their values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/record/row.hpp"

namespace mirror::tests {

/// Where a Row holds the values of an impression; a test of the streams checks these.
namespace slot {
inline constexpr std::size_t mailing = 0;
inline constexpr std::size_t destination = 1;
inline constexpr std::size_t profile = 2;
inline constexpr std::size_t subprofile = 3;
inline constexpr std::size_t ip = 0;
inline constexpr std::size_t agent = 0;
}  // namespace slot

/// A mail open. Texts are views, as those of a Row.
struct Impression {
    std::int64_t id = 0;
    LocalTime time{};
    std::optional<std::int64_t> mailing;
    std::optional<std::int64_t> destination;
    std::optional<std::int64_t> profile;
    std::optional<std::int64_t> subprofile;
    std::optional<std::string_view> ip;
    std::optional<std::string_view> useragent;
    std::optional<std::string_view> device;
    std::optional<std::string_view> extra;
};

Row row_of(const Impression& impression);
Impression impression_of(const Row& row);

}  // namespace mirror::tests
