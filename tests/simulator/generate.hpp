// Rows that look like an account's: the same ones for the same seed.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "core/time/window.hpp"
#include "tests/simulator/account.hpp"

namespace simulator {

enum class Shape {
    steady,  ///< evenly over the period
    bursty,  ///< mailings are sent; each is opened much at first, then less and less
    seconds  ///< all rows within few single seconds, `burst` in each
};

struct Generation {
    Shape shape = Shape::bursty;
    std::uint64_t rows = 1000;
    mirror::Window period;
    std::uint64_t seed = 1;
    std::int64_t first_id = 1;
    std::size_t agents = 640;               ///< distinct user agents, about so many
    std::uint64_t rows_per_mailing = 5000;  ///< Shape::bursty
    std::uint64_t burst = 1000;             ///< Shape::seconds
    /// That share of the rows is logged late, by up to `latest_by`.
    double late_share = 0;
    mirror::Seconds latest_by = std::chrono::hours(1);
};

/// Adds rows to the account's chosen stream. IDs ascend in the order in which rows are logged,
/// which is that of time but for late ones; no row is visible before it is logged.
void generate(Account& account, const Generation& generation);

/// Makes single rows with believable fields, for live ones.
class RowMaker {
  public:
    /// `agents`: distinct user agents, about so many.
    explicit RowMaker(std::uint64_t seed, std::size_t agents = Generation{}.agents);

    Row make(std::int64_t id, mirror::Instant at, std::int64_t mailing);

  private:
    struct Reader {
        std::string ip;
        std::size_t agent;
    };
    struct Agent {
        std::string text;
        std::string device;
    };
    Reader make_reader();

    std::mt19937_64 random_;
    std::vector<Agent> agents_;
    std::vector<Reader> readers_;  // people open mail after mail, from where they are
};

}  // namespace simulator
