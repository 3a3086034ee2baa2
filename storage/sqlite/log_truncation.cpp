#include "storage/sqlite/log_truncation.hpp"

#include <algorithm>
#include <cstdint>

namespace mirror::storage {
namespace {

constexpr std::uintmax_t large_log = std::uintmax_t{64} << 20;
constexpr std::chrono::seconds longest_pause{300};

}  // namespace

LogTruncation::LogTruncation(Database& database)
    : LogTruncation([&database] { return database.truncate_log(large_log); }) {}

void LogTruncation::try_when_due(Monotonic now) {
    if (now < due_) {
        return;
    }
    if (attempt_() == Database::Checkpoint::busy) {
        due_ = now + pause_;
        pause_ = std::min(pause_ * 2, longest_pause);
    } else {
        pause_ = first_pause;
    }
}

}  // namespace mirror::storage
