// The Nth allocation fails, while a page is decoded and while it is stored. A program of its own:
// it replaces operator new for all that is linked to it.
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <sqlite3.h>

#include "core/copernica/page_decoder.hpp"
#include "storage/mirror_file.hpp"
#include "tests/faults/small_account.hpp"
#include "tests/simulator/answer.hpp"
#include "tests/simulator/generate.hpp"
#include "tests/support/fault_table.hpp"

namespace {

// Counts down to the allocation that fails; 0: none does.
thread_local std::uint64_t countdown = 0;
thread_local bool failed = false;

bool fails() {
    if (countdown == 0 || --countdown > 0) {
        return false;
    }
    failed = true;
    return true;
}

void* allocate(std::size_t size) {
    void* const memory = fails() ? nullptr : std::malloc(size == 0 ? 1 : size);
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    return memory;
}

// SQLite's own allocations go to the same countdown.
sqlite3_mem_methods real_memory;

void* sqlite_allocate(int size) {
    return fails() ? nullptr : real_memory.xMalloc(size);
}

void* sqlite_reallocate(void* memory, int size) {
    return fails() ? nullptr : real_memory.xRealloc(memory, size);
}

}  // namespace

void* operator new(std::size_t size) {
    return allocate(size);
}
void* operator new[](std::size_t size) {
    return allocate(size);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete[](void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}

using namespace mirror;
using namespace mirror::faults;
using test::FaultClass;

namespace {

constexpr Instant present{Seconds(1'790'000'000)};

// Before SQLite is used for the first time.
const bool sqlite_is_watched = [] {
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory);
    sqlite3_mem_methods watched = real_memory;
    watched.xMalloc = sqlite_allocate;
    watched.xRealloc = sqlite_reallocate;
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &watched) == SQLITE_OK;
}();

// What is done while the Nth allocation fails. True if one did.
template <typename Work>
bool without_memory(std::uint64_t nth, const Work& work) {
    failed = false;
    countdown = nth;
    try {
        work();
    } catch (const std::bad_alloc&) {
        // as it should be
    } catch (const storage::DatabaseError& error) {
        countdown = 0;
        CHECK(std::string(error.what()).find("memory") != std::string::npos);
    }
    countdown = 0;
    return failed;
}

std::string reply(std::int64_t first, std::int64_t rows) {
    simulator::Account account;
    simulator::RowMaker maker(1);
    for (std::int64_t id = first; id < first + rows; ++id) {
        simulator::Row row = maker.make(id, present + Seconds(id), 400);
        if (id % 10 == 0) {
            row.extra = "\"country\":\"NL\"";
        }
        if (id % 25 == 0) {
            row.raw = "{\"ID\":null,\"note\":" + std::to_string(id) + "}";
        }
        account.add(row);
    }
    simulator::Request request;
    request.call = simulator::Call::impressions;
    request.method = "GET";
    request.token_right = true;
    request.question.limit = 1000;
    return simulator::answer(request, account, {}, std::nullopt, present + std::chrono::hours(1))
        .reply.body;
}

copernica::Page decode(copernica::PageDecoder& decoder, const std::string& body) {
    decoder.begin(streams().front());
    decoder.feed(std::string_view(body).substr(0, body.size() / 2));
    decoder.feed(std::string_view(body).substr(body.size() / 2));
    decoder.finish();
    return decoder.take();
}

storage::MirrorOptions options_for(const std::filesystem::path& file) {
    storage::MirrorOptions options{file, Zone("Europe/Amsterdam")};
    options.busy_timeout = std::chrono::milliseconds(20);
    return options;
}

std::vector<sync::WholeWindow> window(std::int64_t first, copernica::Page page) {
    sync::WholeWindow whole;
    whole.window = {present + Seconds(first), present + Seconds(first + 100)};
    whole.proven = whole.window;
    whole.aged.push_back({Seconds(900), whole.window});
    whole.read_at = whole.window.end + std::chrono::hours(1);
    whole.records.add(page.rows, std::move(page.rejects));
    std::vector<sync::WholeWindow> windows;
    windows.push_back(std::move(whole));
    return windows;
}

}  // namespace

TEST_CASE("memory: a decoder that ran out of it decodes the next page") {
    FaultClass table("memory", "an allocation fails while a page is decoded");
    const std::string body = reply(1, 60);
    bool met = true;
    for (std::uint64_t nth = 1; met; nth += stride(3)) {
        CAPTURE(nth);
        table.begin();
        copernica::PageDecoder decoder;
        met = without_memory(nth, [&] { decode(decoder, body); });
        const copernica::Page page = decode(decoder, body);
        REQUIRE(page.rows.size() == 58);
        REQUIRE(page.rejects.size() == 2);
        table.passed();
    }
}

TEST_CASE("memory: a transaction that ran out of it leaves no trace, and the next one stands") {
    REQUIRE(sqlite_is_watched);
    FaultClass table("memory", "an allocation fails while rows are stored");
    copernica::PageDecoder decoder;
    const std::string first = reply(1, 60);
    const std::string second = reply(101, 60);
    bool met = true;
    for (std::uint64_t nth = 1; met; nth += nth < 30 ? 1 : stride(29)) {
        CAPTURE(nth);
        table.begin();
        const Directory directory;
        const auto path = directory.path() / "m.db";
        const storage::Moment now{present + std::chrono::hours(2), {}};
        {
            storage::MirrorFile file(options_for(path), now.utc);
            file.writer(streams().front()).claim_account("34", "Development", {});
            file.writer(streams().front()).commit(window(1, decode(decoder, first)), now.utc, now);
            // Rows that are new, and rows that are there already.
            auto windows = window(101, decode(decoder, second));
            windows.push_back(std::move(window(1, decode(decoder, first)).front()));
            bool stored = false;
            met = without_memory(nth, [&] {
                file.writer(streams().front()).commit(windows, now.utc, now);
                stored = true;
            });
            soak::expect_sound(path, now.utc);
            const WindowSet covered = soak::covered(path);
            // What is covered is there, and what is not covered is not.
            const std::size_t rows = soak::rows_of(path).size();
            REQUIRE(rows == (covered.contains(windows.front().window) ? 116U : 58U));
            REQUIRE((!stored || rows == 116));
            file.writer(streams().front()).commit(windows, now.utc, now);
        }
        soak::expect_sound(path, now.utc);
        REQUIRE(soak::rows_of(path).size() == 116);
        table.passed();
    }
}

TEST_CASE("memory: a look-up that ran out of it is begun anew by the next transaction") {
    FaultClass table("memory", "an allocation fails while records are held against rows");
    copernica::PageDecoder decoder;
    const std::string body = reply(1, 20);
    const Directory directory;
    const auto path = directory.path() / "m.db";
    const storage::Moment now{present + std::chrono::hours(2), {}};
    storage::MirrorFile file(options_for(path), now.utc);
    file.writer(streams().front()).commit(window(1, decode(decoder, body)), now.utc, now);
    // The same IDs at other times, in a window where the rows cannot have moved to.
    copernica::Page moved = decode(decoder, body);
    moved.rejects.clear();
    for (Row& row : moved.rows) {
        row.time += Seconds(1000);
    }
    const std::uint64_t conflicts = moved.rows.size();
    auto windows = window(1001, std::move(moved));
    bool met = true;
    for (std::uint64_t nth = 1; met; nth += stride(3)) {
        CAPTURE(nth);
        table.begin();
        sync::Written written;
        met = without_memory(
            nth, [&] { written = file.writer(streams().front()).commit(windows, now.utc, now); });
        REQUIRE((met || written.rejected == conflicts));
        table.passed();
    }
    soak::expect_sound(path, now.utc);
}

TEST_CASE("memory: a file that could not be opened for want of it opens the next time") {
    FaultClass table("memory", "an allocation fails while a file is made or opened");
    for (const bool made : {false, true}) {
        bool met = true;
        for (std::uint64_t nth = 1; met; nth += nth < 30 ? 1 : stride(29)) {
            CAPTURE(made);
            CAPTURE(nth);
            table.begin();
            const Directory directory;
            const auto path = directory.path() / "m.db";
            if (made) {
                storage::MirrorFile file(options_for(path), present);
            }
            met =
                without_memory(nth, [&] { storage::MirrorFile file(options_for(path), present); });
            storage::MirrorFile file(options_for(path), present);
            file.writer(streams().front()).claim_account("34", "Development", {});
            soak::expect_sound(path, present);
            table.passed();
        }
    }
}
