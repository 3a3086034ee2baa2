// What the API has shown of each row, and since when: so that what a file holds can be judged in
// the middle of things, too.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "core/time/instant.hpp"
#include "tests/simulator/account.hpp"
#include "tests/soak/rows.hpp"

namespace mirror::soak {

/// Every row of an account since the begin, with all its changes.
class History {
  public:
    /// What a row was like from a moment on; nothing: it was not shown.
    struct State {
        Instant from{};
        std::optional<simulator::TrueRow> row;
    };
    struct Course {
        Instant at{};               ///< the second that it belongs to, UTC
        std::vector<State> states;  ///< ascending
        bool expired = false;       ///< it was dropped for its age, which does not count as removed
        bool hidden = false;        ///< it is not shown for now, though it is there
        bool doubled = false;       ///< another record has its ID
    };

    /// The API shows these rows now, ascending by ID; `rows` says why it does not show others.
    void observe(const std::vector<simulator::TrueRow>& shown, Instant now, const Rows& rows);

    const std::map<std::int64_t, Course>& courses() const { return courses_; }

  private:
    std::map<std::int64_t, Course> courses_;
};

/// Throws Broken unless each row of the file is as the API has shown it at some time, and not
/// before the time at which its second was last proven: what is covered at an age was read when
/// it was that old, and what is covered at all when it was `settle` old. `erased`: the file has
/// none of them.
void expect_no_older_than_proven(const std::filesystem::path& file, const History& history,
                                 Seconds settle, const std::set<std::int64_t>& erased);

}  // namespace mirror::soak
