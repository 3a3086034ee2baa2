// What happened to an account's mailings, so that all streams fit together.
#pragma once

#include <cstdint>
#include <optional>

#include "core/time/instant.hpp"
#include "tests/simulator/account.hpp"

namespace simulator {

/// How many rows the streams get. What is absent follows from the impressions, as for a usual
/// account.
struct StorySize {
    /// More, if fewer than the destinations that opened: these were delivered, each once.
    std::optional<std::uint64_t> deliveries;    ///< ten for each impression
    std::optional<std::uint64_t> errors;        ///< 2 % of the impressions
    std::optional<std::uint64_t> clicks;        ///< 20 %
    std::optional<std::uint64_t> unsubscribes;  ///< 0.5 %
    std::optional<std::uint64_t> abuses;        ///< 0.05 %
};

struct Story {
    StorySize size;
    std::uint64_t seed = 1;
    /// Nothing happens from then on, but what had to be logged late.
    mirror::Instant end = mirror::Instant::max();
    /// That share of the rows of each stream is logged late, by up to `latest_by`.
    double late_share = 0;
    mirror::Seconds latest_by = std::chrono::hours(1);
};

/// Fills all other streams from the impressions that the account has. Each mailing is sent to
/// destinations; a mail is delivered once, or bounces and is an error. An open follows a delivery,
/// a click and a complaint follow an open, and an unsubscription follows a click, if there are any.
/// A mailing's ID is the one that the other rows name, its destinations are those of its deliveries
/// and errors. IDs count in each stream, in the order in which rows are logged. Impressions without
/// mailing or destination belong to no story. The same for the same seed.
void tell(Account& account, const Story& story);

}  // namespace simulator
