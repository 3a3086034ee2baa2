// What of addresses and user agents is in a page that was decoded.
#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/copernica/page_decoder.hpp"
#include "core/record/privacy.hpp"
#include "core/record/stream.hpp"
#include "tests/support/impression.hpp"

using namespace mirror;
using namespace mirror::copernica;
using Addresses = Privacy::Addresses;
using UserAgents = Privacy::UserAgents;

namespace {

constexpr Privacy networks{Addresses::network, UserAgents::full};
constexpr Privacy nothing{Addresses::none, UserAgents::none};
const std::string address = "192.0.2.77";
const std::string agent = "CanaryBrowser";

Page decode(const Stream& stream, const std::string& records, const Privacy& privacy) {
    PageDecoder decoder;
    decoder.begin(stream, privacy);
    decoder.feed(R"({"data":[)" + records + "]}");
    decoder.finish();
    return decoder.take();
}

tests::Impression read(const std::string& fields, const Privacy& privacy) {
    static Page page;  // has the texts
    page = decode(streams().front(),
                  R"({"ID":"7","timestamp":"2014-10-09 13:41:46",)" + fields + "}", privacy);
    return tests::impression_of(page.rows.at(0));
}

// Everything that a page has, as one text.
std::string all_of(const Page& page) {
    std::string all;
    for (const Row& row : page.rows) {
        for (const auto& text : row.texts) {
            all += std::string(text.value_or("")) + "\n";
        }
        for (const Entry& entry : row.entries) {
            all += std::string(entry.first.value_or("")) + std::string(entry.second.value_or("")) +
                   "\n";
        }
        all += std::string(row.extra.value_or("")) + "\n";
    }
    for (const Reject& reject : page.rejects) {
        all += reject.record + reject.reason + reject.timestamp.value_or("") + "\n";
    }
    return all + page.unusual_form.value_or("");
}

// Every way in which a value may stand in a record: as it should, in another kind, deeper.
std::string fields_with_canaries() {
    return fmt::format(R"("ip":"{0}","useragent":"{1}","device":"phone","user_agent":"{1}",
        "User-Agent":["{1}"],"ip_address":{{"v4":"{0}"}},"more":{{"list":[{{"ip":"{0}",
        "useragent":"{1}"}}]}},"report":{{"ip":"{0}","useragent":"{1}"}},
        "target":[{{"IP":"{0}","useragent":{{"x":"{1}"}}}}])",
                       address, agent);
}

}  // namespace

TEST_CASE("privacy: a row has what is kept of its address and its user agent") {
    const std::string fields = R"("ip":"192.0.2.77","useragent":"Agent","device":"phone")";
    CHECK(read(fields, {}).ip == "192.0.2.77");
    CHECK(read(fields, networks).ip == "192.0.2.0");
    CHECK(read(fields, networks).useragent == "Agent");
    CHECK(read(fields, nothing).ip == std::nullopt);
    CHECK(read(fields, nothing).useragent == std::nullopt);
    CHECK(read(fields, nothing).device == "phone");
    CHECK(read(R"("ip":"2001:db8:1:2::5")", networks).ip == "2001:db8:1::");
    CHECK(read(R"("ip":"192.0.2.77 ")", networks).ip == std::nullopt);
    CHECK(read(R"("ip":"")", networks).ip == std::nullopt);
    CHECK(read(R"("ip":"")", {}).ip == "");
}

TEST_CASE("privacy: a field of the wrong kind, and one that is not known, keep no more") {
    CHECK(read(R"("ip":["192.0.2.77"],"useragent":5)", {}).extra ==
          R"({"ip":["192.0.2.77"],"useragent":5})");
    CHECK(read(R"("ip":["192.0.2.77"],"useragent":5)", networks).extra == R"({"useragent":5})");
    CHECK(read(R"("ip":["192.0.2.77"],"useragent":5)", nothing).extra == std::nullopt);
    CHECK(read(R"("x":{"ip":"192.0.2.77","y":1.50})", networks).extra ==
          R"({"x":{"ip":"192.0.2.0","y":1.50}})");
    CHECK(read(R"("\u0069p":5,"x":"\u0069p")", nothing).extra == R"({"x":"ip"})");
}

TEST_CASE("privacy: in no stream, and in no kind of record, a value is found that is not kept") {
    const std::string fields = fields_with_canaries();
    const std::string records[] = {
        fmt::format(R"({{"ID":"5","id":"5","timestamp":"2014-10-09 13:41:46",{}}})", fields),
        // Rejects.
        fmt::format(R"({{"ID":"x","id":"x","timestamp":"2014-10-09 13:41:46",{}}})", fields),
        fmt::format(R"({{"ID":{{{0}}},"id":{{{0}}},"timestamp":{{{0}}}}})", fields),
        fmt::format(R"([{{{}}}])", fields),
    };
    for (const Stream& stream : streams()) {
        for (const std::string& record : records) {
            CAPTURE(std::string(stream.name));
            CAPTURE(record);
            const std::string full = all_of(decode(stream, record, {}));
            CHECK(full.find(address) != std::string::npos);
            CHECK(full.find(agent) != std::string::npos);
            const std::string some = all_of(decode(stream, record, networks));
            CHECK(some.find(address) == std::string::npos);
            CHECK(some.find(agent) != std::string::npos);
            const std::string none = all_of(decode(stream, record, nothing));
            CHECK(none.find("192.0.2.") == std::string::npos);
            CHECK(none.find(agent) == std::string::npos);
        }
    }
}

TEST_CASE("privacy: what was stored and is cut later is what the API gives then") {
    const std::string fields = fields_with_canaries();
    for (const Privacy& privacy : {networks, nothing}) {
        for (const Stream& stream : streams()) {
            CAPTURE(std::string(stream.name));
            const std::string record = R"({"ID":"5","id":"5","timestamp":"2014-10-09 13:41:46",)" +
                                       fields + R"(,"ip":null,"user_agent":7})";
            const Page full = decode(stream, record, {});
            const Page page = decode(stream, record, privacy);
            const auto& extra = full.rows.at(0).extra;
            const auto kept = extra ? cut_extra(privacy, *extra) : std::nullopt;
            CHECK(kept.value_or("none") == std::string(page.rows.at(0).extra.value_or("none")));
            const std::string reject = R"({"ID":"x",)" + fields + R"(,"ip":null,"user_agent":7})";
            CHECK(cut_json(privacy, decode(stream, reject, {}).rejects.at(0).record) ==
                  decode(stream, reject, privacy).rejects.at(0).record);
        }
    }
}
