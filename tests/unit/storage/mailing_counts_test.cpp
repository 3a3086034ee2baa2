// What a file has of each mailing, as the API's statistics count it.
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "storage/eraser.hpp"
#include "tests/unit/storage/fixture.hpp"

using namespace mirror;
using namespace mirror::storage;
using namespace mirror::storage::testing;

namespace {

const LocalTime begin = parse_local("2026-03-01 13:00:00").value();  // noon()
const LocalTime end = begin + Seconds(60);

// The kind of each value in impressions.
std::uint8_t slot(const Stream& stream, std::string_view column) {
    for (const Field& field : stream.fields) {
        if (field.column == column) {
            return field.slot;
        }
    }
    FAIL("no such column");
    return 0;
}

struct Counted {
    explicit Counted(const Stream& of = impressions)
        : stream(of), file(options_for(directory.path() / "a.db"), noon()) {
        file.writer(stream).claim_account("34", "Development", {});
    }

    void add(std::int64_t id, std::int64_t offset, std::optional<std::int64_t> mailing,
             std::optional<std::int64_t> destination) {
        Row& made = page.rows.emplace_back(row(page, id, offset));
        if (has_column(stream, "mailing")) {
            made.integers[slot(stream, "mailing")] = mailing;
            made.integers[slot(stream, "destination")] = destination;
        }
    }

    void store() {
        file.writer(stream).commit(whole(noon_window(-60, 120), std::exchange(page, {})), noon(120),
                                   at(noon(120)));
    }

    plan::MailingCounts counts(std::optional<std::int64_t> mailing = std::nullopt) {
        return file.reader(stream).mailing_counts(begin, end, mailing);
    }

    // "400: 3/2+1 401: 1/1+0 of none: 2": total, unique, without a destination.
    std::string text(std::optional<std::int64_t> mailing = std::nullopt) {
        std::string all;
        const plan::MailingCounts found = counts(mailing);
        for (const auto& [id, count] : found.by_mailing) {
            all += std::to_string(id) + ": " + std::to_string(count.total) + "/" +
                   std::to_string(count.unique) + "+" + std::to_string(count.without_destination) +
                   " ";
        }
        return all + "of none: " + std::to_string(found.unattributed);
    }

    const Stream& stream;
    TemporaryDirectory directory;
    MirrorFile file;
    copernica::Page page;
};

}  // namespace

TEST_CASE("mailing counts: rows that were not removed, within the period") {
    Counted counted;
    counted.add(1, -1, 400, 5);  // a second before
    counted.add(2, 0, 400, 5);
    counted.add(3, 10, 400, 5);
    counted.add(4, 20, 400, 6);
    counted.add(5, 20, 400, std::nullopt);
    counted.add(6, 30, 401, 5);
    counted.add(7, 30, std::nullopt, 5);
    counted.add(8, 59, 402, 7);
    counted.add(9, 60, 403, 7);  // the end itself
    counted.store();
    CHECK(counted.text() == "400: 4/2+1 401: 1/1+0 402: 1/1+0 of none: 0");
    CHECK(counted.text(400) == "400: 4/2+1 of none: 0");
    CHECK(counted.text(403) == "of none: 0");
    meddle(counted.file.path(), "UPDATE impression_rows SET removed_at = 1 WHERE id IN (4, 8)");
    CHECK(counted.text() == "400: 3/1+1 401: 1/1+0 of none: 0");
}

TEST_CASE("mailing counts: rejects count for the mailing that they name") {
    Counted counted;
    counted.add(1, 5, 400, 5);
    const auto keep = [&](const std::string& record, std::optional<std::string> timestamp) {
        counted.page.rejects.push_back(reject(record, std::move(timestamp)));
    };
    const std::string then = "2026-03-01 13:00:20";
    keep(R"({"ID":"x","mailing":400,"destination":5})", then);
    keep(R"({"ID":"y","mailing":"400","destination":"6"})", then);
    keep(R"({"ID":"y","mailing":"400","destination":"6"})", then);  // twice the same
    keep(R"({"ID":"z","mailing":"400","destination":6})", then);
    keep(R"({"ID":"w","mailing":"401"})", then);
    keep(R"({"ID":"e","extra":{"mailing":"402","destination":"1"}})", then);
    // Not in the period.
    keep(R"({"ID":"l","mailing":"400","destination":"8"})", "2026-03-01 13:01:00");
    // Of no mailing that is known, or of no known time.
    keep(R"({"ID":"m","mailing":"four hundred"})", then);
    keep(R"({"ID":"n"})", then);
    keep(R"({"ID":"o","mailing":[400]})", then);
    keep(R"(["no object"])", then);
    keep(R"({"ID":"t","mailing":"400"})", std::nullopt);
    counted.store();
    CHECK(counted.text() == "400: 5/2+0 401: 1/0+1 402: 1/1+0 of none: 5");
    CHECK(counted.text(401) == "401: 1/0+1 of none: 5");
}

TEST_CASE("mailing counts: what was erased is of no mailing any more") {
    Counted counted;
    for (std::int64_t id = 1; id <= 6; ++id) {
        counted.add(id, 10 * (id - 1), 400 + id % 2, id);
    }
    counted.store();
    CHECK(counted.text() == "400: 3/3+0 401: 3/3+0 of none: 0");
    ErasureRequest request;
    request.streams = {&impressions};
    for (const std::int64_t destination : {2, 3}) {
        ErasureRule rule;
        rule.kind = ErasureRule::Kind::destination;
        rule.id = destination;
        request.rules.push_back(rule);
    }
    Eraser eraser = counted.file.eraser();
    eraser.begin(request);
    eraser.finish(noon(500), [] { return noon(501); });
    CHECK(counted.text() == "400: 2/2+0 401: 2/2+0 of none: 2");
    // The API does not show it any more.
    meddle(counted.file.path(), "UPDATE erased SET gone_at = 1 WHERE id = 3");
    CHECK(counted.text() == "400: 2/2+0 401: 2/2+0 of none: 1");
    meddle(counted.file.path(), "UPDATE erased SET timestamp = '2026-03-01 12:59:59'");
    CHECK(counted.text() == "400: 2/2+0 401: 2/2+0 of none: 0");
}

TEST_CASE("mailing counts: of the stream of mailings, which there are") {
    Counted counted(*find_stream("mailings"));
    counted.add(398, -1, {}, {});
    counted.add(399, 0, {}, {});
    counted.add(400, 59, {}, {});
    counted.add(401, 60, {}, {});
    counted.store();
    CHECK(counted.text() == "399: 0/0+0 400: 0/0+0 of none: 0");
    CHECK(counted.text(400) == "400: 0/0+0 of none: 0");
    meddle(counted.file.path(), "UPDATE mailing_rows SET removed_at = 1 WHERE id = 399");
    CHECK(counted.text() == "400: 0/0+0 of none: 0");
}

TEST_CASE("mailing counts: every stream has them") {
    for (const Stream& stream : streams()) {
        CAPTURE(stream.name);
        Counted counted(stream);
        counted.add(400, 10, 400, 1);
        counted.store();
        CHECK(counted.counts().by_mailing.contains(400));
        CHECK((counted.counts().by_mailing.at(400).total == 1) ==
              (stream.statistics != StatisticsForm::none));
    }
}
