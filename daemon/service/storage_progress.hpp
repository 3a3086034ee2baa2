// Whether the storage's thread makes progress. Pure.
#pragma once

#include "storage/sqlite/activity.hpp"

namespace mirror::daemon {

/// Whether the storage has made progress between two looks at it: it has nothing to do, has ended a
/// call, or has advanced within one.
class StorageProgress {
  public:
    bool moves(const storage::Activity& now);

  private:
    storage::Activity last_{};
    bool was_busy_ = false;
};

}  // namespace mirror::daemon
