// Interrupts some work at one call to the disk after another.
#pragma once

#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include "storage/sqlite/errors.hpp"
#include "tests/faults/deaths.hpp"
#include "tests/faults/small_account.hpp"
#include "tests/support/fault_table.hpp"

namespace mirror::faults {

/// Makes a Story, which has a `world`, and lets `work` die in it at every `step`-th call that
/// changes something, in each way; `check` is what the next process does. `area` and `during`: for
/// the table of faults.
template <typename Story, typename Work, typename Check>
void die_at_each_call(const std::string& area, const std::string& during, std::uint64_t step,
                      const Work& work, const Check& check) {
    for (const Death& death : deaths) {
        test::FaultClass table(area, std::string(death.name) + ", " + during);
        bool met = true;
        for (std::uint64_t nth = 1; met; nth += stride(step)) {
            CAPTURE(std::string(death.name));
            CAPTURE(nth);
            table.begin();
            Story story;
            arm(story.world.disk, death, nth);
            try {
                work(story);
            } catch (const storage::DatabaseError&) {
                // as intended
            }
            met = leave_remains(story.world.disk, death, nth);
            check(story);
            table.passed();
        }
    }
}

/// The same with a call that fails once, of each kind of call.
template <typename Story, typename Work, typename Check>
void fail_at_each_call(const std::string& area, const std::string& during, std::uint64_t step,
                       const Work& work, const Check& check) {
    constexpr struct {
        const char* name;
        test::DiskCall call;
        test::DiskFailure how;
    } ways[] = {{"a read fails", test::DiskCall::read, test::DiskFailure::io_error},
                {"a write fails", test::DiskCall::write, test::DiskFailure::io_error},
                {"the disk is full", test::DiskCall::write, test::DiskFailure::full},
                {"a truncation fails", test::DiskCall::truncate, test::DiskFailure::io_error},
                {"a sync fails", test::DiskCall::sync, test::DiskFailure::io_error}};
    for (const auto& way : ways) {
        test::FaultClass table(area, std::string(way.name) + ", " + during);
        bool met = true;
        for (std::uint64_t nth = 1; met; nth += stride(step)) {
            CAPTURE(std::string(way.name));
            CAPTURE(nth);
            table.begin();
            Story story;
            story.world.disk.arm(test::DiskFault({way.call}, nth, way.how));
            try {
                work(story);
            } catch (const storage::DatabaseError&) {
                // as intended
            }
            met = story.world.disk.failed();
            story.world.disk.heal();
            check(story);
            table.passed();
        }
    }
}

}  // namespace mirror::faults
