// The statistics of a mailing: what is read of a reply, and where it is asked for.
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include "core/copernica/statistics_decoder.hpp"
#include "core/http/body_sink.hpp"
#include "core/time/text.hpp"
#include "tests/unit/http/http_client.hpp"
#include "tests/unit/http/scripted_server.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace mirror::test;

namespace {

const std::vector<const Stream*> two{find_stream("deliveries"), find_stream("clicks")};

const std::string documented =
    R"({"destinations":25,"deliveries":{"total":24},"errors":{"total":1,"unique":1},)"
    R"("impressions":{"total":9,"unique":7},"clicks":{"total":4,"unique":3},)"
    R"("unsubscribes":{"total":0,"unique":0},"abuses":{"total":0,"unique":0}})";

// Why a body is refused; empty if it is not.
std::string complaint(const std::string& body) {
    try {
        decode_statistics(body, two);
    } catch (const http::BadBody& bad) {
        return bad.what();
    }
    return "";
}

std::string with_clicks(const std::string& clicks) {
    return R"({"deliveries":{"total":1},"clicks":)" + clicks + "}";
}

struct Pass final : RequestGate {
    boost::asio::awaitable<void> pass() override { co_return; }
};

struct Asked {
    std::optional<StatisticsReply> reply;
    std::optional<ApiError> error;
};

// A client of a server, for several calls.
struct Caller {
    explicit Caller(const ScriptedServer& server) : api(options_for(server)) {}
    ~Caller() { api.close(); }
    Caller(const Caller&) = delete;
    Caller& operator=(const Caller&) = delete;

    Asked ask(std::int64_t mailing) {
        StatisticsQuery query;
        query.mailing = mailing;
        query.begintime = parse_local("2026-01-01 00:00:00").value();
        query.endtime = parse_local("2026-02-01 12:30:00").value();
        query.streams = two;
        Asked asked;
        boost::asio::co_spawn(io, api.statistics(std::move(query), gate),
                              [&](const std::exception_ptr& failed, StatisticsReply reply) {
                                  try {
                                      if (failed) {
                                          std::rethrow_exception(failed);
                                      }
                                      asked.reply = std::move(reply);
                                  } catch (const ApiError& error) {
                                      asked.error = error;
                                  }
                              });
        // Connections that rest keep it running.
        while (!asked.reply && !asked.error) {
            io.run_one();
        }
        return asked;
    }

    boost::asio::io_context io;
    Pass gate;
    HttpApi api;
};

std::string not_found(const std::string& body) {
    return reply("404 Not Found", "", body);
}
const std::string unknown_mailing = not_found(R"({"error":{"message":"No such emailing"}})");
const std::string html = not_found("<html>Not found</html>");

// Where the requests went.
std::vector<std::string> paths(const ScriptedServer& server) {
    std::vector<std::string> all;
    for (const std::string& request : server.requests()) {
        const std::size_t begin = request.find(' ') + 1;
        all.push_back(request.substr(begin, request.find('?') - begin));
    }
    return all;
}

}  // namespace

TEST_CASE("statistics: the counts that are asked for, as numbers and as texts") {
    const std::vector<EventCount> counts = decode_statistics(documented, two);
    REQUIRE(counts.size() == 2);
    CHECK(counts[0] == EventCount{24, std::nullopt});
    CHECK(counts[1] == EventCount{4, 3});

    const auto texts = decode_statistics(
        R"({"deliveries":{"total":"0","unique":7},"clicks":{"unique":"0","total":"12"}})", two);
    CHECK(texts[0] == EventCount{0, std::nullopt});
    CHECK(texts[1] == EventCount{12, 0});
    CHECK(complaint(with_clicks(R"({"total":9223372036854775807,"unique":1})")) == "");
}

TEST_CASE("statistics: each stream has the form that the API documents") {
    std::vector<const Stream*> all;
    for (const Stream& stream : streams()) {
        if (stream.statistics != StatisticsForm::none) {
            all.push_back(&stream);
        }
    }
    const std::vector<EventCount> counts = decode_statistics(documented, all);
    REQUIRE(counts.size() == 6);
    for (std::size_t i = 0; i < all.size(); ++i) {
        CAPTURE(all[i]->name);
        CHECK(counts[i].unique.has_value() == (all[i]->name != "deliveries"));
    }
    CHECK(find_stream("mailings")->statistics == StatisticsForm::none);
}

TEST_CASE("statistics: a reply that is not plainly right is refused") {
    const std::string no_object = "the reply has no statistics: it is not a JSON object";
    const std::string no_clicks = "the statistics do not count clicks";
    const std::string bad_total = "the statistics have a total of clicks that is not a count";
    const std::string bad_unique = "the statistics have a unique of clicks that is not a count";
    struct Example {
        std::string body;
        std::string why;
    };
    const std::vector<Example> examples{
        {"", no_object},
        {"<html>Loadbalancer Error</html>", no_object},
        {documented.substr(0, 60), no_object},
        {"[" + documented + "]", no_object},
        {"null", no_object},
        {"{}", "the statistics do not count deliveries"},
        {R"({"clicks":{"total":1,"unique":1}})", "the statistics do not count deliveries"},
        {R"({"deliveries":{"total":1}})", no_clicks},
        {with_clicks("null"), no_clicks},
        {with_clicks("5"), no_clicks},
        {with_clicks("[1,1]"), no_clicks},
        {with_clicks("{}"), "the statistics have no total of clicks"},
        {with_clicks(R"({"total":1})"), "the statistics have no unique of clicks"},
        {with_clicks(R"({"total":-1,"unique":0})"), bad_total},
        {with_clicks(R"({"total":1.0,"unique":0})"), bad_total},
        {with_clicks(R"({"total":1e3,"unique":0})"), bad_total},
        {with_clicks(R"({"total":null,"unique":0})"), bad_total},
        {with_clicks(R"({"total":true,"unique":0})"), bad_total},
        {with_clicks(R"({"total":"many","unique":0})"), bad_total},
        {with_clicks(R"({"total":"01","unique":0})"), bad_total},
        {with_clicks(R"({"total":"-1","unique":0})"), bad_total},
        {with_clicks(R"({"total":{},"unique":0})"), bad_total},
        {with_clicks(R"({"total":9223372036854775808,"unique":0})"), bad_total},
        {with_clicks(R"({"total":"9223372036854775808","unique":0})"), bad_total},
        {with_clicks(R"({"total":99999999999999999999999,"unique":0})"), bad_total},
        {with_clicks(R"({"total":5,"unique":"x"})"), bad_unique},
        {with_clicks(R"({"total":5,"unique":6})"),
         "the statistics have more destinations than clicks"},
    };
    for (const Example& example : examples) {
        CAPTURE(example.body);
        CHECK(complaint(example.body) == example.why);
    }
    CHECK(complaint(std::string(100'000, '[')) == no_object);
}

TEST_CASE("statistics: the call, with its period") {
    ScriptedServer server({Script{{good(documented)}}});
    Caller caller(server);
    const Asked asked = caller.ask(412);
    REQUIRE(asked.reply.has_value());
    REQUIRE(asked.reply->counts.has_value());
    CHECK(asked.reply->counts->at(1) == EventCount{4, 3});
    CHECK(asked.reply->date == Instant(Seconds(784111777)));
    CHECK(server.requests().at(0).starts_with(
        "GET /v3/ms/emailing/412/statistics?access_token=CANARY%2B%2F%20%26token"
        "&begintime=2026-01-01%2000%3A00%3A00&endtime=2026-02-01%2012%3A30%3A00 HTTP/1.1\r\n"));
}

TEST_CASE("statistics: a mailing that the API does not know") {
    // Which path it is, is known after the first answer.
    ScriptedServer server(
        {Script{{good(documented), unknown_mailing, good(documented), unknown_mailing}}});
    Caller caller(server);
    CHECK(caller.ask(1).reply->counts.has_value());
    const Asked unknown = caller.ask(2);
    REQUIRE(unknown.reply.has_value());
    CHECK_FALSE(unknown.reply->counts.has_value());
    CHECK(caller.ask(3).reply->counts.has_value());
    CHECK_FALSE(caller.ask(4).reply->counts.has_value());
    CHECK(paths(server) ==
          std::vector<std::string>{"/v3/ms/emailing/1/statistics", "/v3/ms/emailing/2/statistics",
                                   "/v3/ms/emailing/3/statistics", "/v3/ms/emailing/4/statistics"});
}

TEST_CASE("statistics: the call may be at the other path") {
    ScriptedServer server({Script{{unknown_mailing, good(documented), unknown_mailing}}});
    Caller caller(server);
    CHECK(caller.ask(1).reply->counts.has_value());
    CHECK_FALSE(caller.ask(2).reply->counts.has_value());
    CHECK(paths(server) == std::vector<std::string>{"/v3/ms/emailing/1/statistics",
                                                    "/v3/draganddrop/emailing/1/statistics",
                                                    "/v3/draganddrop/emailing/2/statistics"});
}

TEST_CASE("statistics: not found, at both paths") {
    struct Example {
        std::string first;
        std::string second;
        bool is_unknown;
    };
    const std::string refused =
        reply("400 Bad Request", "", R"({"error":{"message":"No method"}})");
    const std::vector<Example> examples{
        {unknown_mailing, unknown_mailing, true},
        {unknown_mailing, refused, true},
        {html, unknown_mailing, true},
        {html, html, false},  // a gateway's, not the API's
    };
    for (const Example& example : examples) {
        CAPTURE(example.first);
        CAPTURE(example.second);
        ScriptedServer server({Script{{example.first, example.second}}});
        Caller caller(server);
        const Asked asked = caller.ask(1);
        CHECK(asked.reply.has_value() == example.is_unknown);
        if (asked.error) {
            CHECK(asked.error->kind() == ErrorKind::try_again);
            CHECK(asked.error->status() == 404);
        }
    }
}

TEST_CASE("statistics: other failures are those of every call") {
    struct Example {
        std::string answer;
        ErrorKind kind;
        std::string why;
    };
    const std::vector<Example> examples{
        {good("[]"), ErrorKind::invalid_response, "it is not a JSON object"},
        {reply("200 OK", "Content-Type: text/html\r\n", "<html></html>"),
         ErrorKind::invalid_response, "captive portal"},
        {good(std::string(70'000, ' ') + documented), ErrorKind::invalid_response, "too large"},
        {reply("403 Forbidden", "", R"({"error":{"message":"Not you"}})"), ErrorKind::token_refused,
         "Not you"},
        {reply("400 Bad Request", "", R"({"error":{"message":"Not so"}})"),
         ErrorKind::request_refused, "Not so"},
        {reply("502 Bad Gateway", "", "<html></html>"), ErrorKind::try_again, "502"},
    };
    for (const Example& example : examples) {
        CAPTURE(example.answer.substr(0, 100));
        ScriptedServer server({Script{{example.answer}}});
        Caller caller(server);
        const Asked asked = caller.ask(1);
        REQUIRE(asked.error.has_value());
        CHECK(asked.error->kind() == example.kind);
        const std::string what = asked.error->what();
        CAPTURE(what);
        CHECK(what.find(example.why) != std::string::npos);
        CHECK(what.find("/v3/ms/emailing/1/statistics") != std::string::npos);
        CHECK(what.find("CANARY") == std::string::npos);
    }
}
