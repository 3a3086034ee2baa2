// Why a sound file of ours is not the one that is meant.
#pragma once

#include <stdexcept>

namespace mirror::storage {

/// The file holds another account's rows.
class OtherAccount : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The file's timestamps are local to another zone than the configured one.
class OtherZone : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The file keeps more or less of addresses and user agents than is configured.
class OtherPrivacy : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

}  // namespace mirror::storage
