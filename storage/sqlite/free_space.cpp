#include "storage/sqlite/free_space.hpp"

#include <algorithm>
#include <array>

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

namespace mirror::storage {
namespace {

// Places in the header of a file (https://sqlite.org/fileformat2.html).
constexpr std::size_t header_size = 100;
constexpr std::size_t page_size_place = 16;
constexpr std::size_t reserved_place = 20;
constexpr std::size_t first_trunk_place = 32;
constexpr std::size_t largest_root_place = 52;

constexpr std::uint64_t pending_byte = 0x40000000;

// Other pages begin with a page's number. From here on it could look like the kind of a B-tree.
constexpr std::uint64_t too_many_pages = std::uint64_t{1} << 25;

std::size_t two_bytes(std::span<const unsigned char> bytes, std::size_t at) {
    return static_cast<std::size_t>(bytes[at]) << 8U | bytes[at + 1];
}

std::uint64_t four_bytes(std::span<const unsigned char> bytes, std::size_t at) {
    return static_cast<std::uint64_t>(two_bytes(bytes, at)) << 16U | two_bytes(bytes, at + 2);
}

bool contains(const std::vector<std::uint64_t>& sorted, std::uint64_t page) {
    return std::binary_search(sorted.begin(), sorted.end(), page);
}

sqlite3_file* as_file(void* file) {
    return static_cast<sqlite3_file*>(file);
}

void check(sqlite3* connection, int result) {
    if (result != SQLITE_OK) {
        throw SQLite::Exception(connection, result);
    }
}

}  // namespace

std::vector<ByteRange> unused_bytes(std::span<const unsigned char> page, std::size_t header) {
    constexpr std::size_t leaf_header = 8;
    constexpr std::size_t interior_header = 12;
    constexpr std::size_t free_block_header = 4;
    if (page.size() < header + interior_header) {
        return {};
    }
    const unsigned char kind = page[header];
    const bool leaf = kind == 10 || kind == 13;
    if (!leaf && kind != 2 && kind != 5) {
        return {};
    }
    const std::size_t cells = two_bytes(page, header + 3);
    const std::size_t begin = header + (leaf ? leaf_header : interior_header) + 2 * cells;
    const std::size_t stored = two_bytes(page, header + 5);
    const std::size_t content = stored == 0 ? 65536 : stored;
    if (begin > content || content > page.size()) {
        return {};
    }
    std::vector<ByteRange> unused{{begin, content}};
    std::size_t after = content;
    for (std::size_t block = two_bytes(page, header + 1); block != 0;) {
        if (block < after || block + free_block_header > page.size()) {
            return {};
        }
        const std::size_t size = two_bytes(page, block + 2);
        if (size < free_block_header || block + size > page.size()) {
            return {};
        }
        unused.push_back({block + free_block_header, block + size});
        after = block + size;
        block = two_bytes(page, block);
    }
    return unused;
}

FreeSpace::FreeSpace(sqlite3* connection) : connection_(connection) {
    check(connection_,
          sqlite3_file_control(connection_, "main", SQLITE_FCNTL_FILE_POINTER, &file_));
    std::array<unsigned char, header_size> header{};
    check(connection_, as_file(file_)->pMethods->xRead(as_file(file_), header.data(),
                                                       static_cast<int>(header.size()), 0));
    const std::size_t size = two_bytes(header, page_size_place);
    page_size_ = size == 1 ? 65536 : size;
    usable_ = page_size_ - header[reserved_place];
    maps_ = four_bytes(header, largest_root_place) != 0;
    sqlite3_int64 bytes = 0;
    check(connection_, as_file(file_)->pMethods->xFileSize(as_file(file_), &bytes));
    pages_ = static_cast<std::uint64_t>(bytes) / page_size_;
    find_free_pages();
}

void FreeSpace::find_free_pages() {
    std::uint64_t trunk = four_bytes(read(1), first_trunk_place);
    while (trunk != 0 && trunk <= pages_ && trunks_.size() < pages_) {
        trunks_.push_back(trunk);
        const std::vector<unsigned char> page = read(trunk);
        const std::uint64_t count = std::min<std::uint64_t>(four_bytes(page, 4), usable_ / 4 - 2);
        for (std::uint64_t i = 0; i < count; ++i) {
            free_.push_back(four_bytes(page, 8 + 4 * i));
        }
        trunk = four_bytes(page, 0);
    }
    std::sort(trunks_.begin(), trunks_.end());
    std::sort(free_.begin(), free_.end());
}

bool FreeSpace::is_map(std::uint64_t page) const {
    if (!maps_ || page < 2) {
        return false;
    }
    const std::uint64_t apart = usable_ / 5 + 1;
    std::uint64_t map = (page - 2) / apart * apart + 2;
    if (map == pending_byte / page_size_ + 1) {
        ++map;
    }
    return map == page;
}

std::vector<ByteRange> FreeSpace::unused_of(std::uint64_t page,
                                            std::span<const unsigned char> bytes) const {
    if (contains(free_, page)) {
        return {{0, usable_}};
    }
    if (contains(trunks_, page)) {
        const std::size_t used =
            8 + 4 * std::min<std::size_t>(four_bytes(bytes, 4), usable_ / 4 - 2);
        return {{used, usable_}};
    }
    if (is_map(page) || page == pending_byte / page_size_ + 1 || pages_ >= too_many_pages) {
        return {};
    }
    return unused_bytes(bytes.first(usable_), page == 1 ? header_size : 0);
}

void FreeSpace::overwrite(std::uint64_t first, std::uint64_t count) {
    const std::uint64_t end = std::min(first + count, pages_ + 1);
    for (std::uint64_t page = first; page < end; ++page) {
        const std::vector<unsigned char> bytes = read(page);
        for (const ByteRange range : unused_of(page, bytes)) {
            put_zeros(page, bytes, range);
        }
    }
}

std::vector<unsigned char> FreeSpace::read(std::uint64_t page) const {
    std::vector<unsigned char> bytes(page_size_);
    check(connection_, as_file(file_)->pMethods->xRead(
                           as_file(file_), bytes.data(), static_cast<int>(bytes.size()),
                           static_cast<sqlite3_int64>((page - 1) * page_size_)));
    return bytes;
}

void FreeSpace::put_zeros(std::uint64_t page, std::span<const unsigned char> bytes,
                          ByteRange range) {
    const auto part = bytes.subspan(range.begin, range.end - range.begin);
    if (std::all_of(part.begin(), part.end(), [](unsigned char byte) { return byte == 0; })) {
        return;
    }
    const std::vector<unsigned char> zeros(part.size());
    check(connection_, as_file(file_)->pMethods->xWrite(
                           as_file(file_), zeros.data(), static_cast<int>(zeros.size()),
                           static_cast<sqlite3_int64>((page - 1) * page_size_ + range.begin)));
}

void FreeSpace::sync() {
    check(connection_, as_file(file_)->pMethods->xSync(as_file(file_), SQLITE_SYNC_NORMAL));
}

}  // namespace mirror::storage
