#include "tests/simulator/answer.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "tests/simulator/encode.hpp"
#include "tests/support/times.hpp"
#include "tests/unit/simulator/asked.hpp"

using namespace simulator;
using mirror::Seconds;
using mirror::tests::utc;
using simulator::tests::now;
using simulator::tests::request;

namespace {

// The example of the API's documentation, and `rows - 1` more.
void fill(Account& account, std::int64_t rows = 1) {
    for (std::int64_t i = 0; i < rows; ++i) {
        Row row;
        row.id = 1 + i;
        row.at = utc("2014-10-09 11:41:46") + Seconds(i);
        row.mailing = 412;
        row.ip = "2a03:e280:0:1::1";
        row.useragent = "Mozilla/5.0 \"\xc3\xa9\" \xf0\x9f\x93\xa7";
        row.device = "desktop";
        row.destination = 112;
        row.profile = 13453;
        account.add(row);
    }
}

}  // namespace

TEST_CASE("simulator: the page of the documentation, byte by byte") {
    Account account;
    fill(account);
    Behaviour behaviour;
    const auto reply = [&] {
        return answer(request(behaviour, {{"limit", "1000"}}), account, behaviour, {}, now)
            .reply.body;
    };
    const std::string begin = R"({"start":0,"limit":1000,"count":1,"total":1,"data":[)";
    const std::string php = R"("Mozilla\/5.0 \"\u00e9\" \ud83d\udce7")";
    CHECK(reply() == begin +
                         R"({"ID":"1","mailing":"412","timestamp":"2014-10-09 13:41:46",)"
                         R"("ip":"2a03:e280:0:1::1","useragent":)" +
                         php +
                         R"(,"device":"desktop","destination":"112","profile":13453,)"
                         R"("subprofile":null}]})");

    behaviour.numbers = Numbers::numbers;
    behaviour.profile_fields = false;
    behaviour.encoding = Encoding::utf8;
    behaviour.extra_members = R"("country":"NL")";
    const std::string plain = "\"Mozilla/5.0 \\\"\xc3\xa9\\\" \xf0\x9f\x93\xa7\"";
    CHECK(reply() == begin +
                         R"({"ID":1,"mailing":412,"timestamp":"2014-10-09 13:41:46",)"
                         R"("ip":"2a03:e280:0:1::1","useragent":)" +
                         plain + R"(,"device":"desktop","destination":112,"country":"NL"}]})");
}

TEST_CASE("simulator: control characters are escaped") {
    std::string out;
    append_string(out, std::string_view("\x1b[2J\0\n\t\b\f\x7f", 10), Encoding::php);
    CHECK(out == "\"\\u001b[2J\\u0000\\n\\t\\b\\f\x7f\"");
}

TEST_CASE("simulator: limit, total and what the reply says of them") {
    Account account;
    fill(account, 1500);
    Behaviour behaviour;
    const auto envelope = [&](std::map<std::string, std::string> parameters) {
        const std::string body =
            answer(request(behaviour, std::move(parameters)), account, behaviour, {}, now)
                .reply.body;
        return body.substr(0, body.find(",\"data\""));
    };
    CHECK(envelope({}) == R"({"start":0,"limit":100,"count":100,"total":1500)");
    CHECK(envelope({{"limit", "5000"}, {"total", "false"}}) ==
          R"({"start":0,"limit":1000,"count":1000)");
    CHECK(envelope({{"limit", "1000"}, {"start", "1400"}}) ==
          R"({"start":1400,"limit":1000,"count":100,"total":1500)");
    behaviour.max_page = 500;
    behaviour.named_limit = NamedLimit::documented;
    CHECK(envelope({{"limit", "5000"}}) == R"({"start":0,"limit":1000,"count":500,"total":1500)");
    behaviour.named_limit = NamedLimit::asked;
    CHECK(envelope({{"limit", "5000"}}) == R"({"start":0,"limit":5000,"count":500,"total":1500)");
}

TEST_CASE("simulator: refusals") {
    Account account;
    Behaviour behaviour;
    const auto reply = [&](const Request& asked) {
        return answer(asked, account, behaviour, {}, now).reply;
    };
    const Reply wrong_token = reply(request(behaviour, {{"access_token", "wrong"}}));
    CHECK(wrong_token.status == 400);
    CHECK(wrong_token.body == R"({"error":{"message":"Invalid access token"}})");
    CHECK(reply(request(behaviour, {}, "/v3/elsewhere")).status == 404);
    const Reply bad_time = reply(request(behaviour, {{"begintime", "2026-02-30 00:00:00"}}));
    CHECK(bad_time.status == 400);
    CHECK(bad_time.body == R"({"error":{"message":"Invalid begintime"}})");
    behaviour.longest_period = std::chrono::hours(24);
    CHECK(reply(request(behaviour, {{"begintime", "2026-01-01"}, {"endtime", "2026-01-02"}}))
              .status == 200);
    CHECK(
        reply(request(behaviour, {{"begintime", "2026-01-01"}, {"endtime", "2026-01-02 00:00:01"}}))
            .status == 400);
    CHECK(reply(request(behaviour, {})).status == 400);
    CHECK(reply(request(behaviour, {}, "/v3/identity")).body ==
          R"({"id":"34","name":"Development","description":"An account that exists only here",)"
          R"("company":"Simulator"})");
}

TEST_CASE("simulator: lies about a page") {
    Account account;
    fill(account, 3);
    const Behaviour behaviour;
    const auto reply = [&](const Fault& fault, std::map<std::string, std::string> parameters = {}) {
        return answer(request(behaviour, std::move(parameters)), account, behaviour, fault, now)
            .reply.body;
    };
    const auto envelope = [&](const Fault& fault) {
        const std::string body = reply(fault);
        return body.substr(0, body.find(",\"data\""));
    };
    CHECK(reply(faults::empty_reply()) ==
          R"({"start":0,"limit":100,"count":0,"total":0,"data":[]})");
    CHECK(reply(faults::other_period(Seconds(3600)),
                {{"begintime", "2014-10-09 13:00:00"}, {"endtime", "2014-10-09 14:00:00"}}) ==
          R"({"start":0,"limit":100,"count":0,"total":0,"data":[]})");
    CHECK(envelope(faults::short_page(2)) == R"({"start":0,"limit":100,"count":2,"total":3)");
    CHECK(envelope(faults::short_page(2, true)) == R"({"start":0,"limit":100,"count":2,"total":2)");
    CHECK(envelope(faults::wrong_start()) == R"({"start":1,"limit":100,"count":3,"total":3)");
    CHECK(envelope(faults::moved_rows()) == R"({"start":0,"limit":100,"count":2,"total":3)");
    CHECK(envelope(faults::wrong_count(-2)) == R"({"start":0,"limit":100,"count":1,"total":3)");
    CHECK(envelope(faults::wrong_total(5)) == R"({"start":0,"limit":100,"count":3,"total":8)");
    CHECK(envelope(faults::wrong_limit(7)) == R"({"start":0,"limit":7,"count":3,"total":3)");
    CHECK(envelope(faults::without_total()) == R"({"start":0,"limit":100,"count":3)");
    const std::string doubled = reply(faults::duplicate());
    CHECK(doubled.find(R"("ID":"1")") != doubled.rfind(R"("ID":"1")"));
    const std::string right = reply(Fault());
    CHECK(reply(faults::cut_json()) == right.substr(0, right.size() / 2));
    CHECK(reply(faults::trailing("}")) == right + "}");
    CHECK(reply(faults::malformed_json()).find("}{") != std::string::npos);
}

TEST_CASE("simulator: rules pick their requests") {
    Request asked;
    asked.call = Call::impressions;
    const auto hits = [&](const Rule& rule) {
        std::vector<std::uint64_t> numbers;
        for (asked.call_number = 1; asked.call_number <= 10; ++asked.call_number) {
            if (rule(asked)) {
                numbers.push_back(asked.call_number);
            }
        }
        return numbers;
    };
    using Numbers = std::vector<std::uint64_t>;
    CHECK(hits(rules::nth({2, 7}, {})) == Numbers{2, 7});
    CHECK(hits(rules::every(4, {})) == Numbers{4, 8});
    CHECK(hits(rules::in_a_row(3, 3, {})) == Numbers{3, 4, 5});
    CHECK(hits(rules::first_of({rules::nth({1}, {}), rules::nth({9}, {})})) == Numbers{1, 9});
    CHECK(hits(rules::at_random(0, 1)).empty());
    CHECK(hits(rules::at_random(1, 1)).size() == 10);

    const auto local = mirror::parse_local("2026-01-01 12:00:00").value();
    asked.question.begin = local + Seconds(1);
    CHECK(hits(rules::containing(local, {})).empty());
    asked.question.begin = local;
    CHECK(hits(rules::containing(local, {})).size() == 10);
    asked.call = Call::identity;
    CHECK(hits(rules::always({})).empty());
    CHECK(hits(rules::identity({})).size() == 10);
}
