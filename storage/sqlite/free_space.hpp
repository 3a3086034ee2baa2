// What a database file holds beside its content: bytes that no cell of a page uses, and free pages.
//
// SQLite overwrites what it deletes (secure_delete), but not what remains where it has moved cells
// from one page to another; and a file that another program wrote may be full of deleted rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

struct sqlite3;

namespace mirror::storage {

/// Bytes [begin, end) of a page.
struct ByteRange {
    std::size_t begin = 0;
    std::size_t end = 0;
    friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

/// Where a page of a B-tree has nothing that SQLite would read. `header`: where the page's own
/// header is, 100 on the first page of a file, else 0. Nothing for a page of another kind, and
/// for one that is not sound.
std::vector<ByteRange> unused_bytes(std::span<const unsigned char> page, std::size_t header);

/// The pages of an open database, read and written below SQLite's cache. Only while the connection
/// is in a write transaction that has written nothing, and the log is empty: then the file alone
/// is the database, and nobody else writes to it.
class FreeSpace {
  public:
    /// Throws SQLite::Exception, as the others do.
    explicit FreeSpace(sqlite3* connection);

    std::uint64_t pages() const { return pages_; }

    /// Puts zeros over what is unused in pages from `first` on, as many as `count`; the first page
    /// has the number 1. What is used stays as it is, so that being killed here does no harm.
    void overwrite(std::uint64_t first, std::uint64_t count);

    /// What was overwritten is on the disk.
    void sync();

  private:
    std::vector<unsigned char> read(std::uint64_t page) const;
    void put_zeros(std::uint64_t page, std::span<const unsigned char> bytes, ByteRange range);
    std::vector<ByteRange> unused_of(std::uint64_t page,
                                     std::span<const unsigned char> bytes) const;
    void find_free_pages();
    bool is_map(std::uint64_t page) const;

    sqlite3* connection_;
    void* file_ = nullptr;  // sqlite3_file
    std::size_t page_size_ = 0;
    std::size_t usable_ = 0;
    std::uint64_t pages_ = 0;
    bool maps_ = false;                  // auto_vacuum: some pages say where the others belong
    std::vector<std::uint64_t> trunks_;  // pages of the list of free pages, sorted
    std::vector<std::uint64_t> free_;    // those in it, sorted
};

}  // namespace mirror::storage
