// A write transaction.
#pragma once

#include "storage/sqlite/database.hpp"
#include "storage/sqlite/file_lock.hpp"

namespace mirror::storage {

/// A write transaction under the write lock. Ends without a trace unless committed.
class WriteTransaction {
  public:
    /// Throws DatabaseError (locked, or absent when the file was moved away), SQLite::Exception.
    explicit WriteTransaction(Database& database);
    ~WriteTransaction();
    WriteTransaction(const WriteTransaction&) = delete;
    WriteTransaction& operator=(const WriteTransaction&) = delete;

    /// Throws SQLite::Exception.
    void commit();

  private:
    Database& database_;
    WriteLock lock_;
};

}  // namespace mirror::storage
