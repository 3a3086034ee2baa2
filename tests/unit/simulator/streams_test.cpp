#include "tests/simulator/streams.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "tests/simulator/answer.hpp"
#include "tests/simulator/generate.hpp"
#include "tests/support/times.hpp"
#include "tests/unit/simulator/asked.hpp"

using namespace simulator;
using mirror::Seconds;
using mirror::tests::utc;
using simulator::tests::now;
using simulator::tests::request;

namespace {

Reply reply(const Account& account, const Behaviour& behaviour, const std::string& path,
            std::map<std::string, std::string> parameters = {},
            const std::optional<Fault>& fault = {}) {
    return answer(request(behaviour, std::move(parameters), path), account, behaviour, fault, now)
        .reply;
}

// The list of a page, without its envelope.
std::string records(const Reply& reply) {
    const std::size_t begin = reply.body.find("\"data\":[") + 8;
    return reply.body.substr(begin, reply.body.size() - begin - 2);
}

Row example(const char* at) {
    Row row;
    row.id = 1;
    row.at = utc(at);
    row.mailing = 33;
    row.destination = 312;
    return row;
}

}  // namespace

TEST_CASE("simulator: each stream's record as the documentation shows it") {
    Account account;
    Behaviour behaviour;
    behaviour.profile_fields = false;

    Row click = example("2014-10-14 09:33:22");
    click.link = "http://www.myshop.nl/{$profile.customerid}";
    click.ip = "2a03:e280:0:1::1";
    click.useragent = "Mozilla/5.0";
    account.of(StreamId::clicks).add(click);
    CHECK(records(reply(account, behaviour, "/v3/ms/clicks")) ==
          R"({"ID":"1","mailing":"33","link":"http:\/\/www.myshop.nl\/{$profile.customerid}",)"
          R"("timestamp":"2014-10-14 11:33:22","ip":"2a03:e280:0:1::1",)"
          R"("useragent":"Mozilla\/5.0","destination":"312"})");

    Row delivery = example("2014-11-06 12:43:17");
    delivery.attempts = 1;
    account.of(StreamId::deliveries).add(delivery);
    CHECK(records(reply(account, behaviour, "/v2/ms/deliveries")) ==
          R"({"ID":"1","mailing":"33","timestamp":"2014-11-06 13:43:17","attempts":1,)"
          R"("destination":"312"})");

    Row error = example("2015-03-09 14:36:39");
    error.errorcode = "0";
    error.description = "No valid from address is set";
    error.errortype = "";
    account.of(StreamId::errors).add(error);
    const std::string bounce =
        R"({"ID":"1","mailing":"33","timestamp":"2015-03-09 15:36:39","status":null,)"
        R"("errorcode":"0","description":"No valid from address is set","errortype":"",)"
        R"("destination":"312"})";
    CHECK(records(reply(account, behaviour, "/v3/ms/errors")) == bounce);

    Row abuse = example("2019-03-05 13:44:52");
    abuse.report = R"({"b":[1,{"d":null,"c":"x"}],"a":{}})";
    account.of(StreamId::abuses).add(abuse);
    CHECK(records(reply(account, behaviour, "/v3/ms/abuses")) ==
          R"({"ID":"1","mailing":"33","timestamp":"2019-03-05 14:44:52",)"
          R"("report":{"b":[1,{"d":null,"c":"x"}],"a":{}},"destination":"312"})");
    CHECK(account.of(StreamId::abuses).truth(now).at(0).at(3) ==
          Value(R"({"a":{},"b":[1,{"c":"x","d":null}]})"));

    Row unsubscribe = example("2021-10-09 11:41:46");
    unsubscribe.source = "click";
    account.of(StreamId::unsubscribes).add(unsubscribe);
    CHECK(records(reply(account, behaviour, "/v3/ms/unsubscribes")) ==
          R"({"ID":"1","mailing":"33","timestamp":"2021-10-09 13:41:46","destination":"312",)"
          R"("source":"click"})");

    behaviour.numbers = Numbers::numbers;
    CHECK(records(reply(account, behaviour, "/v3/ms/errors"))
              .starts_with(R"({"ID":1,"mailing":33,)"));
    CHECK(records(reply(account, behaviour, "/v3/ms/errors")).find(R"("errorcode":0,)") !=
          std::string::npos);
    behaviour.numbers = Numbers::strings;
    CHECK(records(reply(account, behaviour, "/v3/ms/deliveries")).find(R"("attempts":"1")") !=
          std::string::npos);
}

TEST_CASE("simulator: a mailing has id in lower case, nested fields and a period of its own") {
    Account account;
    const Behaviour behaviour;
    Row row;
    row.id = 169;
    row.at = utc("2015-01-13 14:09:49");
    row.template_id = 579;
    row.subject = "Test";
    row.from_name = "Test";
    row.from_email = "test@copernica.com";
    row.destinations = 25;
    row.type = "mass";
    row.target = R"({"type":"database","sources":[{"id":"7578","type":"database"}]})";
    account.of(StreamId::mailings).add(row);
    CHECK(records(reply(account, behaviour, "/v3/ms/emailings")) ==
          R"({"id":"169","timestamp":"2015-01-13 15:09:49","template":"579","subject":"Test",)"
          R"("from_address":{"name":"Test","email":"test@copernica.com"},"destinations":25,)"
          R"("type":"mass",)"
          R"("target":{"type":"database","sources":[{"id":"7578","type":"database"}]}})");
    const Values expected{std::int64_t{169},
                          "2015-01-13 15:09:49",
                          std::int64_t{579},
                          "Test",
                          "Test",
                          "test@copernica.com",
                          std::int64_t{25},
                          "mass",
                          R"({"sources":[{"id":"7578","type":"database"}],"type":"database"})"};
    CHECK(account.of(StreamId::mailings).truth(now).at(0) == expected);
    CHECK(columns_of(StreamId::mailings) ==
          std::vector<std::string>{"id", "timestamp", "template", "subject", "from_name",
                                   "from_email", "destinations", "type", "target"});

    const auto count = [&](const char* parameter, const char* time) {
        return records(reply(account, behaviour, "/v3/ms/emailings", {{parameter, time}})).empty()
                   ? 0
                   : 1;
    };
    CHECK(count("fromdate", "2015-01-13 15:09:48") == 1);
    CHECK(count("fromdate", "2015-01-13 15:09:49") == 0);
    CHECK(count("todate", "2015-01-13 15:09:49") == 0);
    CHECK(count("todate", "2015-01-13 15:09:50") == 1);
    CHECK(count("begintime", "2015-01-13 15:09:50") == 1);  // says nothing to this call
    CHECK(reply(account, behaviour, "/v3/ms/emailings", {{"fromdate", "x"}}).status == 400);
}

TEST_CASE("simulator: orders, bounds, late and removed rows are those of every stream") {
    for (const StreamId stream : all_streams) {
        const std::string name(facts_of(stream).name);
        CAPTURE(name);
        Account account;
        account.choose(stream);
        Generation generation;
        generation.rows = 300;
        generation.period = {utc("2026-01-01 00:00:00"), utc("2026-02-01 00:00:00")};
        generation.late_share = 0.2;
        generation.latest_by = std::chrono::hours(24 * 60);
        generate(account, generation);
        CHECK(account.of(stream).size() == 300);
        CHECK(account.of(stream).truth(generation.period.end).size() < 300);
        CHECK(account.of(stream).truth(now).size() == 300);
        CHECK(account.remove(7));
        CHECK(account.change(8, [](Row& row) { row.destinations = row.profile = 1; }));

        Behaviour behaviour;
        const std::string path = "/v3/ms/" + std::string(facts_of(stream).call);
        std::string sorted;
        for (const Order order : {Order::by_time, Order::shuffled}) {
            behaviour.order = order;
            const Reply page = reply(account, behaviour, path, {{"limit", "1000"}});
            CHECK(page.body.starts_with(R"({"start":0,"limit":1000,"count":299,"total":299,)"));
            CHECK(page.body != sorted);
            sorted = page.body;
        }
        CHECK(reply(account, behaviour, path, {}, faults::empty_reply())
                  .body.ends_with(R"("count":0,"total":0,"data":[]})"));
        for (const StreamId other : all_streams) {
            CHECK((account.of(other).size() == 0) == (other != stream));
        }
    }
}

TEST_CASE("simulator: what a stream keeps comes back when a row is changed") {
    for (const StreamId stream : all_streams) {
        Account account;
        account.choose(stream);
        Generation generation;
        generation.rows = 20;
        generation.period = {utc("2026-01-01 00:00:00"), utc("2026-02-01 00:00:00")};
        generate(account, generation);
        const auto before = account.of(stream).truth(now);
        for (std::int64_t id = 1; id <= 20; ++id) {
            CHECK(account.change(id, [](Row&) {}));
        }
        CHECK(account.of(stream).truth(now) == before);
    }
}

TEST_CASE("simulator: one stream refuses while others answer") {
    Account account;
    Behaviour behaviour;
    behaviour.refused = {{Call::clicks, 403}, {Call::abuses, 404}, {Call::identity, 403}};
    CHECK(reply(account, behaviour, "/v3/ms/clicks").status == 403);
    CHECK(reply(account, behaviour, "/v3/ms/clicks").body ==
          R"({"error":{"message":"No access to this method"}})");
    CHECK(reply(account, behaviour, "/v3/ms/abuses").status == 404);
    CHECK(reply(account, behaviour, "/v3/identity").status == 403);
    CHECK(reply(account, behaviour, "/v3/ms/impressions").status == 200);
    CHECK(reply(account, behaviour, "/v3/ms/clicks", {{"access_token", "wrong"}}).status == 400);
}

TEST_CASE("simulator: a call for unique rows is refused, and one for no stream") {
    Account account;
    const Behaviour behaviour;
    CHECK(reply(account, behaviour, "/v3/ms/clicks", {{"unique", "true"}}).status == 400);
    CHECK(reply(account, behaviour, "/v3/ms/clicks", {{"unique", "false"}}).status == 200);
    CHECK(reply(account, behaviour, "/v3/ms/mailings").status == 404);
    CHECK(reply(account, behaviour, "/v3/publisher/clicks").status == 404);
}

TEST_CASE("simulator: rules are for all streams, or for one") {
    Request asked;
    asked.call_number = 2;
    const Rule second = rules::nth({2}, {});
    for (const StreamId stream : all_streams) {
        asked.call = call_of(stream);
        CHECK(second(asked).has_value());
        CHECK(rules::on(StreamId::errors, second)(asked).has_value() ==
              (stream == StreamId::errors));
    }
    asked.call = Call::statistics;
    CHECK_FALSE(second(asked).has_value());
    CHECK(rules::call(Call::statistics, {})(asked).has_value());
}
