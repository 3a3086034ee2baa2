// Takes what is not kept any more out of the rows that the file has.
#pragma once

#include "core/sync/store.hpp"
#include "core/time/instant.hpp"
#include "storage/mirror_database.hpp"

namespace mirror::storage {

/// Rewrites a portion of the file's rows, in short transactions, through a connection of its own,
/// so that they have what [privacy] keeps: those of all streams, in the order of IDs, then rejects,
/// then entries of dictionaries that are not used any more, then what is free in the file. After a
/// kill, the next call goes on. It waits for erasures no longer than other writes are waited for.
/// Throws DatabaseError.
sync::Rewriting rewrite_portion(const MirrorOptions& options, Instant now);

}  // namespace mirror::storage
