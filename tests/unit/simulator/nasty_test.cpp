#include "tests/simulator/nasty.hpp"

#include <set>
#include <string>

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "tests/simulator/account.hpp"

using namespace simulator;
using mirror::Instant;

namespace {

const Instant noon = Instant(mirror::parse_local("2026-01-10 12:00:00").value().time_since_epoch());

std::string raw_of(StreamId stream, const std::string& what) {
    const Account account;
    for (const NastyRow& one : nasty_rows(stream, 1, noon, account.zone())) {
        if (one.what == what) {
            return one.row.raw.value();
        }
    }
    return "there is none";
}

}  // namespace

TEST_CASE("simulator: nasty rows are JSON, and rows of the truth") {
    for (const StreamId stream : all_streams) {
        const std::string name(facts_of(stream).name);
        CAPTURE(name);
        Account account;
        const auto nasty = nasty_rows(stream, 100, noon, account.zone());
        std::set<std::string> what;
        std::set<std::int64_t> ids;
        for (const NastyRow& one : nasty) {
            CAPTURE(one.what);
            CHECK(what.insert(one.what).second);
            CHECK(ids.insert(one.row.id).second);
            boost::system::error_code error;
            boost::json::parse(*one.row.raw, error);
            CHECK_FALSE(error);
            CHECK((one.in_extra.empty() || one.row.raw->find(one.in_extra) != std::string::npos));
            account.of(stream).add(one.row);
        }
        CHECK(nasty.size() > 15);
        CHECK(*ids.begin() == 100);
        CHECK(account.of(stream).truth(noon).size() == nasty.size());
        CHECK(account.of(stream).malformed(noon) == 0);
    }
}

TEST_CASE("simulator: nasty rows, one of each kind") {
    CHECK(raw_of(StreamId::deliveries, "attempts is [\"nasty-list\"]") ==
          R"({"ID":10,"mailing":412,"timestamp":"2026-01-10 13:00:00","attempts":["nasty-list"],)"
          R"("destination":112,"profile":13453,"subprofile":7})");
    CHECK(raw_of(StreamId::mailings, "from_address is null").find(R"("from_address":null,)") !=
          std::string::npos);
    CHECK(raw_of(StreamId::mailings, "from_name is absent").find(R"("from_address":{"email":)") !=
          std::string::npos);
    CHECK(raw_of(StreamId::mailings, "ID and id both").find(R"("ID":"nasty-id")") !=
          std::string::npos);
    CHECK(raw_of(StreamId::clicks, "ID and id both").find(R"("id":"nasty-id")") !=
          std::string::npos);
    CHECK(raw_of(StreamId::clicks, "link has U+0000").find(R"(\/\u0000end")") != std::string::npos);
    CHECK(raw_of(StreamId::clicks, "link has 8 KB").size() > 8192);
    CHECK(raw_of(StreamId::abuses, "a report of 1 MB").size() > 1 << 20);
}
