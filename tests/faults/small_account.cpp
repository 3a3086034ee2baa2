#include "tests/faults/small_account.hpp"

#include <cstdlib>
#include <exception>
#include <unistd.h>

#include <fmt/format.h>

#include "storage/sqlite/errors.hpp"
#include "tests/simulator/generate.hpp"

namespace mirror::faults {

using soak::World;
using test::DiskFailure;
using test::DiskFault;

namespace {

constexpr Instant present{Seconds(1'790'000'000)};
constexpr std::int64_t past_rows = 40;
constexpr std::int64_t live_rows = 12;

}  // namespace

std::uint64_t stride(std::uint64_t usual) {
    const char* const wanted = std::getenv("FAULTS");
    return wanted != nullptr && std::string(wanted) == "all" ? 1 : usual;
}

Directory::Directory() {
    const std::filesystem::path memory = "/dev/shm";
    const auto base = std::filesystem::is_directory(memory) && ::access(memory.c_str(), W_OK) == 0
                          ? memory
                          : std::filesystem::temp_directory_path();
    std::string name = (base / "copernica-mirror-faults-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
        throw std::runtime_error("cannot make a temporary directory");
    }
    path_ = name;
}

Directory::~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string name_of(Before before) {
    switch (before) {
        case Before::nothing:
            return "first load";
        case Before::whole:
            return "a later sync";
        case Before::interrupted:
            return "after a kill";
    }
    return "";
}

Case::Case(Before before) {
    world_.emplace(directory_.path() / "impressions.db", present, "Europe/Amsterdam");
    World& world = *world_;
    world.disk.heal();
    world.disk.forget();
    world.settings.page_size = 15;
    world.settings.connections = 2;
    world.settings.start = world.settings.zone.to_local(present - std::chrono::hours(24 * 90));
    simulator::RowMaker maker(1);
    const auto add = [&](std::int64_t id, Instant at) {
        world.account.add(maker.make(id, at, 400 + id % 3));
        rows_.emplace(id, at);
    };
    for (std::int64_t id = 1; id <= past_rows; ++id) {
        add(id, present - std::chrono::hours(48 * (past_rows - id)) - Seconds(90 + id % 7));
    }
    if (before == Before::nothing) {
        return;
    }
    if (before == Before::interrupted) {
        world.disk.arm(DiskFault(test::changing_calls, 60, DiskFailure::death));
        try {
            world.sync();
        } catch (const storage::DatabaseError&) {
            // as intended
        }
        world.disk.heal();
    } else {
        world.sync();
    }
    world.clock.advance(std::chrono::minutes(25));
    for (std::int64_t i = 1; i <= live_rows; ++i) {
        add(past_rows + i, world.clock.now() - Seconds(60 * i));
    }
    // Within what is read again when it is 15 minutes old.
    rows_.erase(past_rows);
    world.account.change(past_rows, [](simulator::Row& row) { row.profile = 4711; });
}

bool Case::run() {
    try {
        world_->sync();
        return true;
    } catch (const storage::DatabaseError&) {
        return false;
    }
}

std::string Case::complaint() {
    World& world = *world_;
    try {
        soak::expect_sound(world.file(), world.clock.now());
        soak::expect_covered_rows(world.file(), rows_);
        world.clock.advance(std::chrono::minutes(1));
        if (!world.sync().whole()) {
            return "a sync without any fault is not whole";
        }
        soak::expect_sound(world.file(), world.clock.now());
        soak::expect_exact(world);
    } catch (const std::exception& error) {
        return error.what();
    }
    return "";
}

}  // namespace mirror::faults
