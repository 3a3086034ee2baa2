// What tests of `erase` share: a minute in which some rows are of one person.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "storage/eraser.hpp"
#include "tests/support/impression.hpp"
#include "tests/unit/storage/fixture.hpp"

namespace mirror::storage::testing {

constexpr std::int64_t person = 777001;
constexpr std::string_view address = "198.51.100.77";
constexpr std::string_view agent = "CanaryBrowser/9.9 (only one has it)";

inline ErasureRule by(ErasureRule::Kind kind, std::int64_t id) {
    ErasureRule rule;
    rule.kind = kind;
    rule.id = id;
    return rule;
}

inline ErasureRule by_profile(std::int64_t id = person) {
    return by(ErasureRule::Kind::profile, id);
}

inline ErasureRule by_address(std::string_view text) {
    ErasureRule rule;
    rule.kind = ErasureRule::Kind::ip;
    rule.address = *read_ip_address(text);
    return rule;
}

inline ErasureRule by_age(const std::string& before) {
    ErasureRule rule;
    rule.kind = ErasureRule::Kind::before;
    rule.before = *parse_local(before);
    return rule;
}

inline ErasureRequest request(std::vector<ErasureRule> rules) {
    ErasureRequest made;
    for (const Stream& stream : streams()) {
        made.streams.push_back(&stream);
    }
    made.rules = std::move(rules);
    return made;
}

inline ErasedOfStream erase(MirrorFile& file, std::vector<ErasureRule> rules) {
    Eraser eraser = file.eraser();
    eraser.begin(request(std::move(rules)));
    const auto erased = eraser.finish(noon(500), [] { return noon(501); });
    REQUIRE(eraser.clean(std::chrono::milliseconds(100)));
    return erased.front();
}

// A row of the person.
inline Row persons(copernica::Page& page, std::int64_t id, std::int64_t offset) {
    tests::Impression made = tests::impression_of(row(page, id, offset, agent));
    made.profile = person;
    made.ip = address;
    return tests::row_of(made);
}

// Rows 1 to 20 of a minute, of which the third, the seventh and the twelfth are the person's.
inline copernica::Page minute() {
    copernica::Page page = rows(1, 20);
    for (const std::size_t place : {2U, 6U, 11U}) {
        page.rows[place] = persons(page, page.rows[place].id, static_cast<std::int64_t>(place));
    }
    return page;
}

struct Scene {
    Scene() { read(minute()); }

    sync::Written read(copernica::Page page, Window window = noon_window(0, 60)) {
        return read_with(file, std::move(page), window);
    }
    static sync::Written read_with(MirrorFile& with, copernica::Page page,
                                   Window window = noon_window(0, 60)) {
        return with.writer(impressions)
            .commit(whole(window, std::move(page)), noon(600), at(noon(600)));
    }
    std::string asked(const std::string& query) const { return ask(path, query); }
    std::uint64_t counted() {
        return file.reader(impressions)
            .count(*parse_local("2026-03-01 13:00:00"), *parse_local("2026-03-01 13:00:59"));
    }
    std::size_t differences(copernica::Page page) {
        return file.reader(impressions).compare(whole(noon_window(0, 60), std::move(page))).size();
    }

    TemporaryDirectory directory;
    std::filesystem::path path = directory / "m.db";
    MirrorFile file{options_for(path), noon()};
};

}  // namespace mirror::storage::testing
