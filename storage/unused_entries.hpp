// Deletes entries of dictionaries that no row uses any more.
#pragma once

#include "core/record/stream.hpp"
#include "storage/sqlite/database.hpp"

namespace mirror::storage {

/// Works in short transactions beside other writers, from the candidates that stand in the file
/// (the table `erased_entries`). Call within Database::guarded.
class UnusedEntries {
  public:
    explicit UnusedEntries(Database& database) : database_(database) {}

    /// Makes all entries candidates: an erased row may have had others before the API changed it,
    /// and so may rows that the API deleted.
    void offer_all();

    /// Deletes those candidates that no row uses.
    void erase();

  private:
    void erase_of(const Dictionary& dictionary);

    Database& database_;
};

}  // namespace mirror::storage
