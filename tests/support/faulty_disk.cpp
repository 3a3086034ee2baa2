#include "tests/support/faulty_disk.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <new>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <sqlite3.h>

namespace mirror::test {
namespace {

constexpr std::size_t sector = 512;

// One change of a file that is not synced, with what it takes to undo it.
struct Change {
    bool is_truncation = false;
    std::size_t offset = 0;    // of the write; the new size of a truncation
    std::size_t old_size = 0;  // of the whole file
    std::string old_bytes;     // that were there: under the write, or cut off
    std::string new_bytes;
};

using Changes = std::vector<Change>;

std::string contents(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void put(std::string& content, std::size_t offset, const std::string& bytes) {
    content.resize(std::max(content.size(), offset + bytes.size()));
    content.replace(offset, bytes.size(), bytes);
}

std::string undone(std::string content, const Changes& changes) {
    for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
        if (change->is_truncation) {
            content.resize(change->offset);
            content += change->old_bytes;
        } else {
            put(content, change->offset, change->old_bytes);
        }
        content.resize(change->old_size);
    }
    return content;
}

// Carries out about half of the changes, by whole sectors of the file.
void redo_some(std::string& content, const Changes& changes, std::mt19937_64& random) {
    for (const Change& change : changes) {
        if (change.is_truncation) {
            if (random() % 2 == 0) {
                content.resize(std::min(content.size(), change.offset));
            }
            continue;
        }
        const std::size_t end = change.offset + change.new_bytes.size();
        for (std::size_t at = change.offset; at < end;) {
            const std::size_t next = std::min(end, (at / sector + 1) * sector);
            if (random() % 2 == 0) {
                put(content, at, change.new_bytes.substr(at - change.offset, next - at));
            }
            at = next;
        }
    }
}

int error_code(DiskCall call) {
    switch (call) {
        case DiskCall::open:
            return SQLITE_CANTOPEN;
        case DiskCall::read:
            return SQLITE_IOERR_READ;
        case DiskCall::write:
            return SQLITE_IOERR_WRITE;
        case DiskCall::truncate:
            return SQLITE_IOERR_TRUNCATE;
        case DiskCall::sync:
            return SQLITE_IOERR_FSYNC;
        case DiskCall::lock:
            return SQLITE_IOERR_LOCK;
        case DiskCall::shared_memory:
            return SQLITE_IOERR_SHMMAP;
        case DiskCall::remove:
            return SQLITE_IOERR_DELETE;
        case DiskCall::look:
            return SQLITE_IOERR_FSTAT;
    }
    return SQLITE_IOERR;
}

// What becomes of one call.
struct Verdict {
    int code = SQLITE_OK;
    bool half = false;  // of a write
};

}  // namespace

DiskFault::DiskFault(std::initializer_list<DiskCall> which, std::uint64_t number,
                     DiskFailure failure)
    : calls(0), nth(number), how(failure) {
    for (const DiskCall call : which) {
        calls |= static_cast<unsigned>(call);
    }
}

struct FaultyDisk::Impl {
    std::mutex mutex;
    std::optional<DiskFault> fault;
    std::uint64_t calls = 0;
    bool failed = false;
    bool dead = false;
    bool remembering = false;
    std::map<std::string, Changes> unsynced;
    // Files that were removed, as they would be if their directory was not written any more.
    std::map<std::string, std::pair<std::string, Changes>> removed;

    sqlite3_vfs* real = nullptr;
    sqlite3_vfs vfs{};
    sqlite3_io_methods methods{};

    Verdict judge(DiskCall call);
};

Verdict FaultyDisk::Impl::judge(DiskCall call) {
    const std::lock_guard lock(mutex);
    Verdict verdict;
    if (!dead && fault && (fault->calls & static_cast<unsigned>(call)) != 0) {
        ++calls;
        if (calls == fault->nth || (fault->lasting && calls > fault->nth)) {
            failed = true;
            verdict.code = error_code(call);
            errno = EIO;
            switch (fault->how) {
                case DiskFailure::io_error:
                    break;
                case DiskFailure::full:
                case DiskFailure::short_write:
                    verdict.code = SQLITE_FULL;
                    verdict.half = fault->how == DiskFailure::short_write;
                    errno = ENOSPC;
                    break;
                case DiskFailure::busy:
                    verdict.code = SQLITE_BUSY;
                    break;
                case DiskFailure::death_within:
                    verdict.half = true;
                    dead = true;
                    break;
                case DiskFailure::death:
                    dead = true;
                    break;
                case DiskFailure::kill:
                    std::raise(SIGKILL);
                    break;
            }
            return verdict;
        }
    }
    if (dead) {
        verdict.code = error_code(call);
        errno = EIO;
    }
    return verdict;
}

namespace {

FaultyDisk::Impl* disk = nullptr;

// What SQLite holds as an open file. The real one lies behind it in the same piece of memory.
struct File {
    sqlite3_file base;
    std::string* path;  // nothing for a temporary file

    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

static_assert(sizeof(File) % alignof(std::max_align_t) == 0);

File& shim(sqlite3_file* file) {
    return *reinterpret_cast<File*>(file);
}

sqlite3_file* real(sqlite3_file* file) {
    return shim(file).real();
}

// To be called before the change is made.
void note_write(File& file, const char* bytes, std::size_t count, std::size_t offset) {
    const std::lock_guard lock(disk->mutex);
    if (!disk->remembering || file.path == nullptr) {
        return;
    }
    sqlite3_int64 size = 0;
    file.real()->pMethods->xFileSize(file.real(), &size);
    Change change;
    change.offset = offset;
    change.old_size = static_cast<std::size_t>(size);
    change.new_bytes.assign(bytes, count);
    if (change.old_size > offset) {
        change.old_bytes.resize(std::min(count, change.old_size - offset));
        file.real()->pMethods->xRead(file.real(), change.old_bytes.data(),
                                     static_cast<int>(change.old_bytes.size()),
                                     static_cast<sqlite3_int64>(offset));
    }
    disk->unsynced[*file.path].push_back(std::move(change));
}

void note_truncation(File& file, std::size_t new_size) {
    const std::lock_guard lock(disk->mutex);
    if (!disk->remembering || file.path == nullptr) {
        return;
    }
    sqlite3_int64 size = 0;
    file.real()->pMethods->xFileSize(file.real(), &size);
    Change change;
    change.is_truncation = true;
    change.offset = new_size;
    change.old_size = static_cast<std::size_t>(size);
    if (change.old_size > new_size) {
        change.old_bytes.resize(change.old_size - new_size);
        file.real()->pMethods->xRead(file.real(), change.old_bytes.data(),
                                     static_cast<int>(change.old_bytes.size()),
                                     static_cast<sqlite3_int64>(new_size));
    }
    disk->unsynced[*file.path].push_back(std::move(change));
}

int x_close(sqlite3_file* file) {
    delete shim(file).path;
    return real(file)->pMethods->xClose(real(file));
}

int x_read(sqlite3_file* file, void* into, int count, sqlite3_int64 offset) {
    if (const Verdict verdict = disk->judge(DiskCall::read); verdict.code != SQLITE_OK) {
        return verdict.code;
    }
    return real(file)->pMethods->xRead(real(file), into, count, offset);
}

int x_write(sqlite3_file* file, const void* from, int count, sqlite3_int64 offset) {
    const Verdict verdict = disk->judge(DiskCall::write);
    if (verdict.code != SQLITE_OK && !verdict.half) {
        return verdict.code;
    }
    const int written = verdict.half ? count / 2 : count;
    note_write(shim(file), static_cast<const char*>(from), static_cast<std::size_t>(written),
               static_cast<std::size_t>(offset));
    const int failure = errno;
    const int code = real(file)->pMethods->xWrite(real(file), from, written, offset);
    if (verdict.half) {
        errno = failure;
        return verdict.code;
    }
    return code;
}

int x_truncate(sqlite3_file* file, sqlite3_int64 size) {
    if (const Verdict verdict = disk->judge(DiskCall::truncate); verdict.code != SQLITE_OK) {
        return verdict.code;
    }
    note_truncation(shim(file), static_cast<std::size_t>(size));
    return real(file)->pMethods->xTruncate(real(file), size);
}

int x_sync(sqlite3_file* file, int flags) {
    if (const Verdict verdict = disk->judge(DiskCall::sync); verdict.code != SQLITE_OK) {
        return verdict.code;
    }
    {
        const std::lock_guard lock(disk->mutex);
        if (shim(file).path != nullptr) {
            disk->unsynced.erase(*shim(file).path);
        }
        // File systems keep the order of what is done to names: none comes back after a sync.
        disk->removed.clear();
    }
    return real(file)->pMethods->xSync(real(file), flags);
}

int x_file_size(sqlite3_file* file, sqlite3_int64* size) {
    if (const Verdict verdict = disk->judge(DiskCall::look); verdict.code != SQLITE_OK) {
        return verdict.code;
    }
    return real(file)->pMethods->xFileSize(real(file), size);
}

int x_lock(sqlite3_file* file, int level) {
    if (const Verdict verdict = disk->judge(DiskCall::lock); verdict.code != SQLITE_OK) {
        return verdict.code;
    }
    return real(file)->pMethods->xLock(real(file), level);
}

int x_unlock(sqlite3_file* file, int level) {
    return real(file)->pMethods->xUnlock(real(file), level);
}

int x_check_reserved_lock(sqlite3_file* file, int* result) {
    return real(file)->pMethods->xCheckReservedLock(real(file), result);
}

int x_file_control(sqlite3_file* file, int operation, void* argument) {
    return real(file)->pMethods->xFileControl(real(file), operation, argument);
}

int x_sector_size(sqlite3_file* file) {
    return real(file)->pMethods->xSectorSize(real(file));
}

int x_device_characteristics(sqlite3_file* file) {
    return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

int x_shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** into) {
    if (const Verdict verdict = disk->judge(DiskCall::shared_memory); verdict.code != SQLITE_OK) {
        return verdict.code;
    }
    return real(file)->pMethods->xShmMap(real(file), page, size, extend, into);
}

int x_shm_lock(sqlite3_file* file, int offset, int count, int flags) {
    if ((flags & SQLITE_SHM_LOCK) != 0) {
        const Verdict verdict = disk->judge(DiskCall::shared_memory);
        if (verdict.code != SQLITE_OK) {
            return verdict.code == SQLITE_BUSY ? SQLITE_BUSY : SQLITE_IOERR_SHMLOCK;
        }
    }
    return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}

void x_shm_barrier(sqlite3_file* file) {
    real(file)->pMethods->xShmBarrier(real(file));
}

int x_shm_unmap(sqlite3_file* file, int remove) {
    const bool keep = disk->dead;
    return real(file)->pMethods->xShmUnmap(real(file), keep ? 0 : remove);
}

int x_open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    shim(file).base.pMethods = nullptr;
    if (const Verdict verdict = disk->judge(DiskCall::open); verdict.code != SQLITE_OK) {
        return verdict.code;
    }
    const int code = disk->real->xOpen(disk->real, name, real(file), flags, out_flags);
    if (code != SQLITE_OK) {
        return code;
    }
    shim(file).path = name == nullptr ? nullptr : new std::string(name);
    shim(file).base.pMethods = &disk->methods;
    return SQLITE_OK;
}

int x_delete(sqlite3_vfs*, const char* name, int sync_directory) {
    if (const Verdict verdict = disk->judge(DiskCall::remove); verdict.code != SQLITE_OK) {
        return verdict.code;
    }
    {
        const std::lock_guard lock(disk->mutex);
        if (disk->remembering && sync_directory == 0) {
            disk->removed[name] = {contents(name), disk->unsynced[name]};
        }
        disk->unsynced.erase(name);
    }
    return disk->real->xDelete(disk->real, name, sync_directory);
}

int x_access(sqlite3_vfs*, const char* name, int flags, int* result) {
    if (const Verdict verdict = disk->judge(DiskCall::look); verdict.code != SQLITE_OK) {
        return SQLITE_IOERR_ACCESS;
    }
    return disk->real->xAccess(disk->real, name, flags, result);
}

sqlite3_io_methods io_methods() {
    sqlite3_io_methods methods{};
    methods.iVersion = 2;  // no mapping of the database itself: that would be a way around us
    methods.xClose = x_close;
    methods.xRead = x_read;
    methods.xWrite = x_write;
    methods.xTruncate = x_truncate;
    methods.xSync = x_sync;
    methods.xFileSize = x_file_size;
    methods.xLock = x_lock;
    methods.xUnlock = x_unlock;
    methods.xCheckReservedLock = x_check_reserved_lock;
    methods.xFileControl = x_file_control;
    methods.xSectorSize = x_sector_size;
    methods.xDeviceCharacteristics = x_device_characteristics;
    methods.xShmMap = x_shm_map;
    methods.xShmLock = x_shm_lock;
    methods.xShmBarrier = x_shm_barrier;
    methods.xShmUnmap = x_shm_unmap;
    return methods;
}

}  // namespace

FaultyDisk& FaultyDisk::instance() {
    // Never destroyed: SQLite may use it to the last moment.
    static FaultyDisk* const only = new FaultyDisk;
    return *only;
}

FaultyDisk::FaultyDisk() : impl_(std::make_unique<Impl>()) {
    // As the program sets SQLite up (storage/database.cpp), which has no effect after the first
    // use.
    sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, -1);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    disk = impl_.get();
    impl_->real = sqlite3_vfs_find(nullptr);
    impl_->methods = io_methods();
    impl_->vfs = *impl_->real;
    impl_->vfs.pNext = nullptr;
    impl_->vfs.zName = "faulty";
    impl_->vfs.szOsFile = static_cast<int>(sizeof(File)) + impl_->real->szOsFile;
    impl_->vfs.xOpen = x_open;
    impl_->vfs.xDelete = x_delete;
    impl_->vfs.xAccess = x_access;
    if (sqlite3_vfs_register(&impl_->vfs, 1) != SQLITE_OK) {
        throw std::bad_alloc();
    }
}

void FaultyDisk::heal() {
    const std::lock_guard lock(impl_->mutex);
    impl_->fault.reset();
    impl_->calls = 0;
    impl_->failed = false;
    impl_->dead = false;
}

void FaultyDisk::arm(const DiskFault& fault) {
    heal();
    const std::lock_guard lock(impl_->mutex);
    impl_->fault = fault;
}

bool FaultyDisk::failed() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->failed;
}

bool FaultyDisk::dead() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->dead;
}

std::uint64_t FaultyDisk::calls() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->calls;
}

void FaultyDisk::remember() {
    forget();
    const std::lock_guard lock(impl_->mutex);
    impl_->remembering = true;
}

void FaultyDisk::lose_power(Loss loss, std::uint64_t seed) {
    heal();
    const std::lock_guard lock(impl_->mutex);
    std::mt19937_64 random(seed);
    const auto rewrite = [&](const std::string& path, const std::string& now,
                             const Changes& changes) {
        std::string content = undone(now, changes);
        if (loss == Loss::some) {
            redo_some(content, changes, random);
        }
        std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
    };
    for (const auto& [path, changes] : impl_->unsynced) {
        if (!changes.empty()) {
            rewrite(path, contents(path), changes);
        }
    }
    for (const auto& [path, file] : impl_->removed) {
        if (loss == Loss::all || random() % 2 == 0) {
            rewrite(path, file.first, file.second);
        }
    }
    impl_->unsynced.clear();
    impl_->removed.clear();
    impl_->remembering = false;
}

void FaultyDisk::forget() {
    const std::lock_guard lock(impl_->mutex);
    impl_->unsynced.clear();
    impl_->removed.clear();
    impl_->remembering = false;
}

}  // namespace mirror::test
